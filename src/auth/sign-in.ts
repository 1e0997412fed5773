import { randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { type JsonObject, parseJson } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { LibraryFetch } from '#outbound/library-fetch.ts';
import type { Authenticator } from './authenticate.ts';
import {
  authorizationUrl,
  type CodeFailure,
  type CodeRequest,
  type OAuthClient,
  redeemCode,
} from './code-flow.ts';
import type { FetchJson } from './discovery.ts';
import { type OAuthServer, readOAuthServer } from './oauth-server.ts';
import { clientMetadata, commandMetadata, registerClient } from './register-client.ts';
import { createSignInClients, type SignInRegistrations } from './sign-in-clients.ts';

/** How people sign in on the gateway's own pages. */
export interface SignInOptions {
  /** One of the issuers whose tokens count. */
  readonly issuer: string;
  /** Undefined: the gateway describes or registers itself. */
  readonly clientId: string | undefined;
  readonly clientSecret: Secret | undefined;
  /** The gateway's own URL, byte for byte: what the token must be for. Undefined: the issuer refuses to be told. */
  readonly resource: string | undefined;
  readonly origin: string;
  readonly scopes: readonly string[];
  readonly name: string;
}

/** `not_a_person`: the token is a client's own. `not_admitted`: the token is not for us, or not from that issuer. */
export type SignInFailure = CodeFailure | 'no_client' | 'expired' | 'not_admitted' | 'not_a_person';

export interface SignIn {
  /** Where the browser goes. The state opens only in the browser it was made for; `next` comes back from `finish`. */
  begin(browser: string, next: string): Promise<Result<string, SignInFailure>>;
  /** The callback's query -> the principal that the same token would be at `/mcp`. */
  finish(
    browser: string,
    parameters: URLSearchParams,
  ): Promise<Result<{ readonly principal: Principal; readonly next: string }, SignInFailure>>;
  /** What the gateway says of itself as a client, at {@link signInDocumentPath}. */
  clientDocument(): JsonObject;
  /** What its command says of itself on people's own machines, at {@link commandDocumentPath}. */
  commandDocument(): JsonObject;
}

export interface SignInDeps {
  readonly options: () => SignInOptions;
  readonly authenticator: () => Pick<Authenticator, 'authenticate'>;
  readonly fetchJson: FetchJson;
  readonly fetch: LibraryFetch;
  readonly sealer: Sealer;
  readonly registrations: SignInRegistrations;
  readonly clock: Clock;
  readonly log: Log;
}

export const signInDocumentPath = '/.well-known/oauth-client/sign-in.json';
export const commandDocumentPath = '/.well-known/oauth-client/command-line.json';
/** Servers ignore the port of a loopback redirect (RFC 8252 section 7.3). */
const commandRedirectUri = 'http://127.0.0.1/callback';
export const signInCallbackPath = '/sign-in/callback';

const stateLifetimeMs = 10 * 60_000;
const metadataLifetimeMs = 10 * 60_000;
const metadataTimeoutMs = 10_000;

/** The gateway as a client of its own issuer: code, PKCE, `state`, `iss`, `resource`. */
export function createSignIn(deps: SignInDeps): SignIn {
  const { options, sealer, clock, log } = deps;
  const clients = createSignInClients(deps);
  let known: { readonly server: OAuthServer; readonly until: number } | undefined;

  async function serverOf(issuer: string): Promise<OAuthServer | undefined> {
    if (known?.server.issuer === issuer && known.until > clock.now()) return known.server;
    const read = await readOAuthServer(issuer, deps.fetchJson, AbortSignal.timeout(metadataTimeoutMs));
    if (!read.ok) {
      log.warn('sign_in.issuer_unavailable', { issuer, detail: read.error });
      return undefined;
    }
    known = { server: read.value, until: clock.now() + metadataLifetimeMs };
    return read.value;
  }

  async function clientAt(server: OAuthServer): Promise<OAuthClient | undefined> {
    const { clientId, clientSecret, origin, name } = options();
    if (clientId !== undefined) return { id: clientId, secret: clientSecret };
    const documentUrl = origin + signInDocumentPath;
    const isReadable = documentUrl.startsWith('https:') || server.issuer.startsWith('http:');
    if (server.readsClientDocuments && isReadable) return { id: documentUrl, secret: undefined };
    const redirectUri = origin + signInCallbackPath;
    const kept = await clients.load(server.issuer, redirectUri);
    if (kept !== undefined || server.registrationEndpoint === undefined) return kept;
    const made = await registerClient(
      server.registrationEndpoint,
      clientMetadata(name, redirectUri, server.registrationAuthMethod),
      deps.fetch,
    );
    if (!made.ok) {
      log.warn('sign_in.registration_failed', { issuer: server.issuer, detail: made.error });
      return undefined;
    }
    await clients.save(server.issuer, redirectUri, made.value);
    return made.value;
  }

  async function requestNow(): Promise<Result<CodeRequest, SignInFailure>> {
    const { issuer, origin, resource, scopes } = options();
    const server = await serverOf(issuer);
    if (server === undefined) return err('unavailable');
    const client = await clientAt(server);
    if (client === undefined) return err('no_client');
    return ok({ server, client, redirectUri: origin + signInCallbackPath, resource, scopes });
  }

  async function principalOf(token: Secret, issuer: string): Promise<Result<Principal, SignInFailure>> {
    const headers = new Headers({ authorization: `Bearer ${token.reveal()}` });
    const admitted = await deps.authenticator().authenticate(headers, { search: '' });
    if (!admitted.ok || admitted.value.issuer !== issuer) {
      log.warn('sign_in.token_refused', {
        issuer,
        reason: admitted.ok ? 'another_issuer' : admitted.error.reason,
      });
      return err('not_admitted');
    }
    return admitted.value.kind === 'user' ? admitted : err('not_a_person');
  }

  return {
    async begin(browser, next) {
      const request = await requestNow();
      if (!request.ok) return request;
      const verifier = randomBytes(32).toString('base64url');
      const { issuer } = request.value.server;
      const payload: SignInState = [verifier, next, request.value.client.id, clock.now() + stateLifetimeMs];
      const state = sealer.seal('sign_in', [browser, issuer], JSON.stringify(payload));
      return ok(await authorizationUrl(request.value, { state, verifier }));
    },

    async finish(browser, parameters) {
      const { issuer } = options();
      const state = parameters.get('state') ?? '';
      const opened = sealer.open('sign_in', [browser, issuer], state);
      if (!opened.ok) return err('mismatch');
      const [verifier, next, clientId, until] = readState(opened.value);
      if (until <= clock.now()) return err('expired');
      const request = await requestNow();
      if (!request.ok) return request;
      if (request.value.client.id !== clientId) return err('expired');
      const token = await redeemCode(request.value, { parameters, state, verifier }, deps.fetch);
      if (!token.ok) {
        const { reason, detail } = token.error;
        log.info('sign_in.refused', { issuer, reason, detail });
        // A registration that the issuer forgot would lead everybody into the same wall.
        if (reason === 'client_refused') await clients.forget(issuer);
        return err(reason);
      }
      const principal = await principalOf(token.value.accessToken, issuer);
      return principal.ok ? ok({ principal: principal.value, next }) : principal;
    },

    clientDocument() {
      const { origin, name } = options();
      const client_id = origin + signInDocumentPath;
      return { client_id, ...clientMetadata(name, origin + signInCallbackPath) };
    },

    commandDocument() {
      const { origin, name } = options();
      const client_id = origin + commandDocumentPath;
      return { client_id, ...commandMetadata(`${name} command line`, commandRedirectUri) };
    },
  };
}

type SignInState = readonly [verifier: string, next: string, clientId: string, until: number];

/** Nobody but us can have sealed it. */
function readState(text: string): SignInState {
  const parsed = parseJson(text);
  if (parsed.ok && Array.isArray(parsed.value)) {
    const [verifier, next, clientId, until]: readonly unknown[] = parsed.value;
    if (
      typeof verifier === 'string' &&
      typeof next === 'string' &&
      typeof clientId === 'string' &&
      typeof until === 'number'
    )
      return [verifier, next, clientId, until];
  }
  throw new Error('a sealed sign-in state of another shape');
}
