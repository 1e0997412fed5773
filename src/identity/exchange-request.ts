import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { TokenEndpoint } from './token-endpoints.ts';

/** As whom the gateway asks. */
export interface ExchangeClient {
  readonly id: string;
  /** Undefined: a public client. */
  readonly secret: Secret | undefined;
}

export interface ExchangedToken {
  readonly token: Secret;
  /** Undefined: the issuer does not say. */
  readonly lifetimeSeconds: number | undefined;
  readonly scopes: readonly string[];
}

/** `refused`: the issuer said no. `unavailable`: it said nothing that could be used. `detail` is for the log. */
export interface ExchangeFailure {
  readonly reason: 'refused' | 'unavailable';
  readonly detail: string;
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
const timeoutMs = 10_000;
const maxBytes = 256 * 1024;

/**
 * Exchanges a user's token for one that a single backend accepts (RFC 8693). The answer must be a bearer access token
 * other than the one given. Whether it is really meant for that audience is the backend's to check.
 */
export async function requestExchange(
  outbound: Outbound,
  endpoint: TokenEndpoint,
  client: ExchangeClient,
  asked: { readonly token: Secret; readonly audience: string; readonly scopes: readonly string[] },
): Promise<Result<ExchangedToken, ExchangeFailure>> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: asked.token.reveal(),
    subject_token_type: accessTokenType,
    requested_token_type: accessTokenType,
    audience: asked.audience,
    scope: asked.scopes.join(' '),
  });
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  if (client.secret !== undefined && endpoint.authMethod === 'client_secret_basic') {
    const pair = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret.reveal())}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  } else {
    form.set('client_id', client.id);
    if (client.secret !== undefined) form.set('client_secret', client.secret.reveal());
  }
  const answer = await outbound.request({
    method: 'POST',
    url: endpoint.url,
    headers,
    body: form.toString(),
    timeoutMs,
    maxBytes,
    signal: undefined,
    pool: undefined,
    onEvent: undefined,
  });
  if (!answer.ok) return unavailable(`${answer.error.reason} (${answer.error.detail})`);
  return readAnswer(answer.value.status, answer.value.body, asked);
}

function readAnswer(
  status: number,
  text: string,
  asked: { readonly token: Secret; readonly scopes: readonly string[] },
): Result<ExchangedToken, ExchangeFailure> {
  const parsed = parseJson(text);
  const body = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
  if (status >= 400 && status < 500 && status !== 429) {
    const named = body === undefined ? undefined : stringAt(body, 'error');
    const error = named !== undefined && /^[\w.-]{1,64}$/.test(named) ? named : 'no error named';
    return err({ reason: 'refused', detail: `status ${status}, ${error}` });
  }
  if (status !== 200 || body === undefined) return unavailable(`status ${status}, or no JSON`);
  const token = stringAt(body, 'access_token');
  const issuedType = stringAt(body, 'issued_token_type') ?? accessTokenType;
  if (token === undefined || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return unavailable('no access token');
  if (stringAt(body, 'token_type')?.toLowerCase() !== 'bearer') return unavailable('not a bearer token');
  if (issuedType !== accessTokenType && issuedType !== jwtType) return unavailable('not an access token');
  if (token === asked.token.reveal()) return unavailable('it gave the user’s own token back');
  const { expires_in: lifetime, scope } = body;
  return ok({
    token: new Secret(token),
    lifetimeSeconds: typeof lifetime === 'number' && lifetime > 0 ? lifetime : undefined,
    // RFC 6749 section 5.1: what is not named is what was asked for.
    scopes: typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : asked.scopes,
  });
}

function unavailable(detail: string): Result<never, ExchangeFailure> {
  return err({ reason: 'unavailable', detail });
}
