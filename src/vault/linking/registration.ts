import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { isAuthMethod, type LinkClient } from './client-authentication.ts';
import type { Reach } from './discovery.ts';
import { type LinkFailure, linkFailure } from './link-failure.ts';
import { providerLimits } from './provider-limits.ts';
import { isRefused } from './read-document.ts';

/** What a dynamic registration gave us (RFC 7591). */
export interface Registration {
  readonly client: LinkClient;
  /** Seconds since the epoch; undefined where the secret does not expire. */
  readonly secretExpiresAt: number | undefined;
}

/**
 * Registers the gateway. The answer is a stranger's: an id or secret that could not be sent on, another redirect URI, or
 * a way to authenticate that we do not know is refused. 200 counts as 201, since several servers answer that.
 */
export async function register(
  endpoint: string,
  metadata: JsonObject,
  redirectUri: string,
  { egress, timeoutMs }: Reach,
): Promise<Result<Registration, LinkFailure>> {
  const answer = await egress.outbound.request({
    method: 'POST',
    url: endpoint,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(metadata),
    timeoutMs,
    maxBytes: providerLimits.maxAnswerBytes,
    signal: undefined,
    pool: undefined,
    onEvent: undefined,
  });
  if (!answer.ok) {
    const { reason, detail } = answer.error;
    if (isRefused(answer.error)) return err(linkFailure('address_refused', { detail }));
    return err(linkFailure(reason === 'too_large' ? 'registration_refused' : 'unreachable', { detail }));
  }
  const { status, body } = answer.value;
  if (status >= 500) return err(linkFailure('unreachable', { detail: `registration: status ${status}` }));
  const parsed = parseJson(body);
  const document = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
  if (status !== 201 && status !== 200) {
    const code = stringAt(document, 'error');
    return err(linkFailure('registration_refused', { code, detail: `status ${status}` }));
  }
  const registration = parseRegistration(document, redirectUri, metadata);
  if (typeof registration !== 'string') return ok(registration);
  return err(linkFailure('registration_refused', { detail: registration }));
}

function parseRegistration(
  document: JsonObject,
  redirectUri: string,
  asked: JsonObject,
): Registration | string {
  const id = stringAt(document, 'client_id');
  const secret = stringAt(document, 'client_secret') || undefined;
  // Who answers with neither a secret nor a method has registered a public client, whatever was asked for.
  const asPublic = secret === undefined ? 'none' : stringAt(asked, 'token_endpoint_auth_method');
  const method = stringAt(document, 'token_endpoint_auth_method') ?? asPublic;
  const { redirect_uris: redirectUris, client_secret_expires_at: expiresAt } = document;
  if (id === undefined || !isPrintable(id, providerLimits.maxClientIdLength)) return 'no usable client_id';
  if (secret !== undefined && !isPrintable(secret, providerLimits.maxSecretLength)) return 'no usable secret';
  if (!isAuthMethod(method)) return 'an unknown token_endpoint_auth_method';
  if (method !== 'none' && secret === undefined) return 'no secret';
  if (redirectUris !== undefined && !(isStringArray(redirectUris) && redirectUris.includes(redirectUri))) {
    return 'another redirect URI';
  }
  return {
    client: {
      id,
      secret: method === 'none' || secret === undefined ? undefined : new Secret(secret),
      method,
      source: 'registered',
    },
    secretExpiresAt: typeof expiresAt === 'number' && expiresAt > 0 ? expiresAt : undefined,
  };
}

function isPrintable(text: string, maxLength: number): boolean {
  return text.length > 0 && text.length <= maxLength && /^[\x20-\x7e]+$/.test(text);
}

/** As the text that is sealed. */
export function writeRegistration({ client, secretExpiresAt }: Registration): string {
  return JSON.stringify({
    id: client.id,
    secret: client.secret?.reveal(),
    method: client.method,
    secretExpiresAt,
  });
}

/** Undefined where the secret has expired, or the text is none of ours. */
export function readRegistration(text: string, clock: Clock): LinkClient | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const id = stringAt(parsed.value, 'id');
  const secret = stringAt(parsed.value, 'secret');
  const method = stringAt(parsed.value, 'method');
  const { secretExpiresAt } = parsed.value;
  if (id === undefined || !isAuthMethod(method)) return undefined;
  if (typeof secretExpiresAt === 'number' && secretExpiresAt * 1_000 <= clock.now()) return undefined;
  return { id, secret: secret === undefined ? undefined : new Secret(secret), method, source: 'registered' };
}
