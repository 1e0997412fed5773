import { isJsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/**
 * Gets a URL and parses its body as JSON: what `auth` needs of `outbound/`, which owns the deadline, the byte cap
 * and the address policy. The error is for the log: a status that is not 200, no answer, no JSON.
 */
export type FetchJson = (url: string, signal: AbortSignal) => Promise<Result<unknown, string>>;

/** Where an issuer's metadata may lie, in order: RFC 8414 section 3.1, its OIDC twin (section 5), then OIDC's own place. */
export function wellKnownUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
  ];
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

/**
 * Finds where an issuer's keys are: the first metadata document whose `issuer` equals ours byte for byte
 * (RFC 8414 section 3.3) and that names a `jwks_uri`; without any document `<issuer>/.well-known/jwks.json`.
 * A document of another issuer never falls back to that: it would hide a mix-up. The error is for the log.
 */
export async function discoverJwksUri(
  issuer: string,
  fetchJson: FetchJson,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  let mismatch: string | undefined;
  for (const url of wellKnownUrls(issuer)) {
    const found = await fetchJson(url, signal);
    if (!found.ok || !isJsonObject(found.value)) continue;
    const named = stringAt(found.value, 'issuer');
    if (named !== issuer) {
      mismatch ??= `${url} names the issuer ${JSON.stringify(named ?? null)}, not ${JSON.stringify(issuer)}`;
      continue;
    }
    const jwksUri = stringAt(found.value, 'jwks_uri');
    if (jwksUri !== undefined && isAsSafeAs(issuer, jwksUri)) return ok(jwksUri);
  }
  return mismatch === undefined ? ok(`${issuer.replace(/\/$/, '')}/.well-known/jwks.json`) : err(mismatch);
}

/** What an https issuer names, its keys above all, is reached over https only. */
export function isAsSafeAs(issuer: string, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'));
}
