import { type OAuthServer, readOAuthServer } from '#auth/oauth-server.ts';
import { metadataUrlFor } from '#auth/protected-resource.ts';
import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import type { Secret } from '#kernel/secret.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createLibraryFetch, type LibraryFetch, NoAnswer } from '#outbound/library-fetch.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** A gateway somewhere, as a program with a person's token sees it. */
export interface GatewayClient {
  readonly url: string;
  readonly origin: string;
  readonly fetch: LibraryFetch;
  /** Reads a public document; undefined where there is none. */
  readDocument(url: string): Promise<unknown>;
  /** The issuer that signs people in, and the scopes that a token needs. */
  discover(): Promise<{ readonly server: OAuthServer; readonly scopes: readonly string[] }>;
  ask(method: 'GET' | 'POST', path: string, token: Secret): Promise<Answer>;
  close(): Promise<void>;
}
export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

const timeoutMs = 10_000;

/** What cannot be reached, or is no gateway, is a {@link UserError} with the exit code 3. */
export function createGatewayClient(url: string): GatewayClient {
  const outbound = createOutbound();
  const fetchJson = createFetchJson(outbound);
  const send = createLibraryFetch(outbound);
  const { origin } = new URL(url);

  async function exchange(
    method: 'GET' | 'POST',
    target: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    try {
      return await send(target, { method, headers: { accept: 'application/json', ...headers } });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      throw unreachable(`${origin} cannot be reached: ${error.message}`);
    }
  }

  return {
    url,
    origin,
    fetch: send,
    async readDocument(target) {
      const found = await fetchJson(target);
      return found.ok ? found.value : undefined;
    },

    async discover() {
      const refused = await exchange('POST', url, { 'content-type': 'application/json' });
      const challenge = parseBearerChallenge(refused.headers.get('www-authenticate') ?? undefined);
      const metadataUrl = metadataUrlFor(url, { search: '' });
      const metadata = await fetchJson(metadataUrl);
      if (!metadata.ok || !isJsonObject(metadata.value))
        throw unreachable(`${metadataUrl} does not describe a gateway`);
      if (metadata.value.resource !== url)
        throw new UserError(
          `the gateway calls itself ${JSON.stringify(metadata.value.resource)}, not ${url}`,
          {
            next: `give that very URL: ${JSON.stringify(metadata.value.resource)}`,
          },
        );
      const issuers = metadata.value.authorization_servers;
      const issuer = isStringArray(issuers) ? issuers[0] : undefined;
      if (issuer === undefined) throw unreachable('the gateway names nobody who signs people in');
      if (!isSafe(issuer, url))
        throw new UserError(
          `the gateway sends you to ${JSON.stringify(issuer)}, where a password could be read`,
          {
            exitCode: exitCodes.no,
            next: 'tell whoever runs the gateway: its issuer has to be https',
          },
        );
      const server = await readOAuthServer(issuer, fetchJson, AbortSignal.timeout(timeoutMs));
      if (!server.ok) throw unreachable(`${issuer} cannot be asked to sign you in: ${server.error}`);
      return { server: server.value, scopes: challenge?.scopes ?? [] };
    },

    async ask(method, path, token) {
      const answer = await exchange(method, origin + path, { authorization: `Bearer ${token.reveal()}` });
      const parsed = parseJson(await answer.text());
      return { status: answer.status, body: parsed.ok && isJsonObject(parsed.value) ? parsed.value : {} };
    },

    close: () => outbound.close(),
  };
}

/** https, this machine, or as open as the gateway itself, which somebody has then allowed. */
function isSafe(issuer: string, gateway: string): boolean {
  const [at, from] = [URL.parse(issuer), URL.parse(gateway)];
  if (at === null || from === null) return false;
  if (at.protocol === 'https:' || (at.protocol === 'http:' && isLoopbackHost(at.hostname))) return true;
  return at.protocol === 'http:' && from.protocol === 'http:' && !isLoopbackHost(from.hostname);
}

function unreachable(message: string): UserError {
  return new UserError(message, {
    exitCode: exitCodes.unreachable,
    next: 'is it the URL that your agents use, with /mcp at the end? see what stands in the way: cortex doctor URL',
  });
}

/** The string at `key` of an answer; anything else is a gateway that speaks otherwise. */
export function textOf(answer: Answer, key: string): string {
  const text = stringAt(answer.body, key);
  if (text !== undefined) return text;
  throw unreachable(`the gateway answered ${answer.status} without ${key}`);
}
