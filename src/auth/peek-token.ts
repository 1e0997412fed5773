import { decodeJwt, decodeProtectedHeader } from 'jose';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/** What a token says of itself before anything is verified: good for choosing keys, for nothing else. */
export interface PeekedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly issuer: string | undefined;
  readonly claims: JsonObject;
}

/** Reads header and `iss` of a compact JWS without verifying it. Refuses what is not three well-formed parts. */
export function peekToken(token: string): Result<PeekedToken, AuthRefusal> {
  try {
    const claims: unknown = decodeJwt(token);
    if (!isJsonObject(claims)) return err(refusal('token_malformed'));
    return ok({ header: decodeProtectedHeader(token), issuer: stringOrNothing(claims.iss), claims });
  } catch {
    return err(refusal('token_malformed'));
  }
}

/** The header a key may be looked up for. */
export interface AcceptedHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/**
 * The protected header's gates. Without the list of algorithms `none` and an HMAC made with the public key would
 * pass; without the type an ID token or a logout token would; a critical extension is one we would be ignoring.
 */
export function acceptHeader(
  header: Readonly<Record<string, unknown>>,
  algorithms: readonly string[],
  isTyped: boolean,
): Result<AcceptedHeader, AuthRefusal> {
  const alg = algorithms.find((allowed) => allowed === header.alg);
  if (alg === undefined) return err(refusal('algorithm_refused', `alg ${quote(header.alg)}`));
  if (!isAcceptedType(header.typ, isTyped)) return err(refusal('type_refused', `typ ${quote(header.typ)}`));
  if (header.crit !== undefined) return err(refusal('critical_header', `crit ${quote(header.crit)}`));
  return ok({ alg, kid: stringOrNothing(header.kid) });
}

function isAcceptedType(typ: unknown, isTyped: boolean): boolean {
  if (typ === undefined) return !isTyped;
  if (typeof typ !== 'string') return false;
  const type = typ.toLowerCase();
  if (type === 'at+jwt' || type === 'application/at+jwt') return true;
  return type === 'jwt' && !isTyped;
}

function stringOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A claim or header for a refusal's detail. */
export function quote(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
