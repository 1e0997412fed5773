import { randomBytes } from 'node:crypto';
import {
  authorizationUrl,
  type CodeFailure,
  type CodeRequest,
  type OAuthClient,
  redeemCode,
  type TokenSet,
} from '#auth/code-flow.ts';
import type { OAuthServer } from '#auth/oauth-server.ts';
import { commandMetadata, registerClient } from '#auth/register-client.ts';
import { commandDocumentPath } from '#auth/sign-in.ts';
import { isJsonObject } from '#kernel/json.ts';
import type { Invocation } from './command.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { GatewayClient } from './gateway-client.ts';
import { type LoopbackCallback, listenForCallback } from './loopback-callback.ts';
import { openBrowser } from './open-browser.ts';

/** A person's tokens, and the page that still waits in the browser for what comes next. */
export interface SignedIn {
  readonly tokens: TokenSet;
  /** What was asked for: refreshing asks for the same. */
  readonly request: CodeRequest;
  readonly callback: LoopbackCallback;
  /** Whether the person pasted the answer: there is no page that could go on by itself. */
  readonly wasPasted: boolean;
}

const waitMs = 10 * 60_000;

export interface SignInWish {
  /** Beside those that the gateway asks for. */
  readonly scopes?: readonly string[];
  /** Whether the sign-in should last longer than one token. */
  readonly isKept?: boolean;
}

/** Signs a person in at the gateway's issuer: code and PKCE over a loopback redirect, or over what the person pastes. */
export async function signInPerson(
  gateway: GatewayClient,
  invocation: Invocation,
  wish: SignInWish = {},
): Promise<SignedIn> {
  const { options, output, terminal } = invocation;
  const { server, scopes } = await gateway.discover();
  const state = randomBytes(32).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const callback = listenForCallback(state);
  try {
    const client = await clientAt(gateway, server, options.text('client-id'), callback.redirectUri);
    const given = options.list('scope');
    const asked = [...(given.length > 0 ? given : scopes), ...(wish.scopes ?? [])];
    if (wish.isKept === true && server.offersOfflineAccess) asked.push('offline_access');
    const { redirectUri } = callback;
    const request = { server, client, redirectUri, resource: gateway.url, scopes: [...new Set(asked)] };
    const url = await authorizationUrl(request, { state, verifier });
    const isOpen = options.has('browser') && openBrowser(url, terminal.environment);
    output.warn(isOpen ? `Sign in in your browser. If it did not open:\n${url}` : `Sign in here:\n${url}`);
    const { parameters, wasPasted } = await answerOf(callback, state, invocation);
    const tokens = await redeemCode(request, { parameters, state, verifier }, gateway.fetch);
    if (tokens.ok) return { tokens: tokens.value, request, callback, wasPasted };
    callback.respond({
      title: 'You were not signed in',
      text: 'The command says why. You can close this page.',
    });
    throw signInError(tokens.error.reason, tokens.error.detail, server.issuer);
  } catch (error) {
    await callback.close();
    throw error;
  }
}

/** The answer comes to this machine by itself, or by hand where the browser is elsewhere. */
async function answerOf(
  callback: LoopbackCallback,
  state: string,
  { terminal, output }: Invocation,
): Promise<{ readonly parameters: URLSearchParams; readonly wasPasted: boolean }> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), waitMs);
  const given = callback.answer().then((parameters) => ({ parameters, wasPasted: false }));
  const tooLate = new Promise<undefined>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(undefined));
  });
  const pasted = async () => {
    output.warn('Is the browser on another machine? Then paste the address it ended at:');
    for (;;) {
      const line = await terminal.readLine?.(stop.signal);
      if (line === undefined) return tooLate;
      const parameters = URL.parse(line.trim())?.searchParams;
      if (parameters?.get('state') === state) return { parameters, wasPasted: true };
      output.warn('That is not the answer to this sign-in. Paste the whole address, from http:// on:');
    }
  };
  try {
    const first = await Promise.race([given, tooLate, terminal.isInteractive ? pasted() : tooLate]);
    if (first !== undefined) return first;
    throw new UserError('nobody signed in within ten minutes', {
      exitCode: exitCodes.no,
      next: 'run it again',
    });
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** Given, else described by the gateway's own document, else registered on the spot. */
async function clientAt(
  gateway: GatewayClient,
  server: OAuthServer,
  given: string | undefined,
  redirectUri: string,
): Promise<OAuthClient> {
  if (given !== undefined) return { id: given, secret: undefined };
  const documentUrl = gateway.origin + commandDocumentPath;
  const isReadable = documentUrl.startsWith('https:') || server.issuer.startsWith('http:');
  if (server.readsClientDocuments && isReadable) {
    const document = await gateway.readDocument(documentUrl);
    if (isJsonObject(document) && document.client_id === documentUrl)
      return { id: documentUrl, secret: undefined };
  }
  const next =
    'register a public client with the redirect URI http://127.0.0.1/callback, then: --client-id ID';
  if (server.registrationEndpoint === undefined)
    throw new UserError(`${server.issuer} lets no program introduce itself`, { next });
  const metadata = commandMetadata('Cortex command line', redirectUri, server.registrationAuthMethod);
  const made = await registerClient(server.registrationEndpoint, metadata, gateway.fetch);
  if (made.ok) return made.value;
  throw new UserError(`${server.issuer} refused to register this program: ${made.error}`, {
    exitCode: exitCodes.no,
    next,
  });
}

/** Why nobody was signed in, and what to do. */
export function signInError(reason: CodeFailure, detail: string, issuer: string): UserError {
  const say = (message: string, next: string, exitCode: 1 | 3 = exitCodes.no) =>
    new UserError(message, { exitCode, next });
  switch (reason) {
    case 'denied':
      return say('you, or your organisation, said no', 'run it again when you are sure');
    case 'mismatch':
      return say(`the answer is not that of ${issuer}`, 'run it again');
    case 'unavailable':
      return say(`${issuer} did not answer: ${detail}`, 'try again in a moment', exitCodes.unreachable);
    case 'client_refused':
    case 'refused':
      return say(`${issuer} refused: ${detail}`, afterRefusal(detail));
  }
}

/** RFC 8707: it gives out no tokens for the URL that was asked for; another client would be told the same. */
function afterRefusal(detail: string): string {
  return detail.startsWith('invalid_target')
    ? 'have the issuer give out tokens for the gateway’s URL, which every client asks for as `resource`: docs/issuers'
    : 'run it again, or name a client: --client-id ID';
}
