import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { type LibraryFetch, NoAnswer } from '#outbound/library-fetch.ts';
import type { OAuthClient } from './code-flow.ts';

/** A client's metadata (RFC 7591 section 2), a public one's unless said. Servers take loopback redirects from native applications only. */
export function clientMetadata(name: string, redirectUri: string, authMethod = 'none'): JsonObject {
  const isLoopback = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])[:/]/.test(redirectUri);
  return {
    client_name: name,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: authMethod,
    application_type: isLoopback ? 'native' : 'web',
  };
}

/** The metadata of our command on people's own machines, which may keep a sign-in. */
export function commandMetadata(name: string, redirectUri: string, authMethod = 'none'): JsonObject {
  return {
    ...clientMetadata(name, redirectUri, authMethod),
    grant_types: ['authorization_code', 'refresh_token'],
  };
}

/** Dynamic client registration (RFC 7591 section 3). The error is for the log. */
export async function registerClient(
  endpoint: string,
  metadata: JsonObject,
  send: LibraryFetch,
): Promise<Result<OAuthClient, string>> {
  try {
    const answer = await send(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(metadata),
    });
    const parsed = parseJson(await answer.text());
    const body = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    const id = stringAt(body, 'client_id');
    if ((answer.status !== 201 && answer.status !== 200) || id === undefined) {
      return err(`status ${answer.status} ${(stringAt(body, 'error') ?? '').slice(0, 100)}`);
    }
    const secret = stringAt(body, 'client_secret');
    return ok({ id, secret: secret === undefined ? undefined : new Secret(secret) });
  } catch (error) {
    if (error instanceof NoAnswer) return err(error.message);
    throw error;
  }
}
