import { compactVerify, errors } from 'jose';
import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { audiencesOf } from '../audience.ts';
import type { IssuerKeys } from '../issuer-keys.ts';
import { peekToken, quote } from '../peek-token.ts';
import { type FeedRefusal, feedRefusal } from './refusal.ts';

/** What tokens of one sender must be like. */
export interface EventTokenRules {
  /** `iss`, byte for byte. */
  readonly issuer: string;
  /** One of these must be in `aud`, byte for byte. */
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  /** Lower-case `typ`s, without `application/`; undefined stands for none at all. */
  readonly types: readonly (string | undefined)[];
  /** Seconds since `iat`; what is older cannot matter any more. */
  readonly maxAgeSeconds: number;
}

/** A token that its issuer signed, for us and in time. */
export interface EventToken {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly claims: JsonObject;
}

type Outcome<T> = Result<T, FeedRefusal>;

/**
 * Verifies a signed event: size, header, signature, then `iss`, `aud`, times and `jti`. With a laxer `types` an access
 * token or an ID token would do as an event. Does not check: what the events are, and whether it came before.
 */
export async function verifyEventToken(
  text: string,
  rules: EventTokenRules,
  keys: Pick<IssuerKeys, 'candidates'>,
  nowMs: number,
): Promise<Outcome<EventToken>> {
  if (text.length > limits.maxEventTokenBytes) return err(feedRefusal('too_large', `${text.length} bytes`));
  const peeked = peekToken(text);
  if (!peeked.ok) return err(feedRefusal('malformed'));
  const header = acceptEventHeader(peeked.value.header, rules);
  if (!header.ok) return header;
  // Before any key is looked for: another issuer's event is not worth a fetch.
  if (peeked.value.issuer !== rules.issuer)
    return err(feedRefusal('issuer_refused', `iss ${quote(peeked.value.issuer)}`));
  const candidates = await keys.candidates(header.value);
  if (!candidates.ok) return err(feedRefusal(candidates.error, `kid ${quote(header.value.kid)}`));
  const payload = await verifySignature(text, header.value.alg, candidates.value);
  return payload.ok ? checkClaims(payload.value, rules, Math.floor(nowMs / 1_000)) : payload;
}

function acceptEventHeader(
  header: Readonly<Record<string, unknown>>,
  { algorithms, types }: EventTokenRules,
): Outcome<{ readonly alg: string; readonly kid: string | undefined }> {
  const alg = algorithms.find((allowed) => allowed === header.alg);
  if (alg === undefined) return err(feedRefusal('algorithm_refused', `alg ${quote(header.alg)}`));
  const { typ, kid, crit } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (!types.some((accepted) => accepted === type))
    return err(feedRefusal('type_refused', `typ ${quote(typ)}`));
  if (crit !== undefined) return err(feedRefusal('critical_header', `crit ${quote(crit)}`));
  return ok({ alg, kid: typeof kid === 'string' ? kid : undefined });
}

async function verifySignature(
  text: string,
  alg: string,
  keys: readonly CryptoKey[],
): Promise<Outcome<JsonObject>> {
  for (const key of keys) {
    try {
      const { payload } = await compactVerify(text, key, { algorithms: [alg] });
      const claims = parseJson(new TextDecoder().decode(payload));
      return claims.ok && isJsonObject(claims.value) ? ok(claims.value) : err(feedRefusal('malformed'));
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JOSEError) return err(feedRefusal('malformed', error.code));
      // Not jose's own: WebCrypto or jose's key checks refused the key.
      return err(feedRefusal('key_unusable'));
    }
  }
  return err(feedRefusal('signature_invalid'));
}

/** The claims of RFC 8417 section 2.2. `aud` is optional there, and not here: an event for others is not for us. */
function checkClaims(claims: JsonObject, rules: EventTokenRules, now: number): Outcome<EventToken> {
  const { iss, aud, jti, iat, exp, nbf } = claims;
  if (iss !== rules.issuer) return err(feedRefusal('issuer_refused', `iss ${quote(iss)}`));
  if (!audiencesOf(aud).some((named) => rules.audience.includes(named)))
    return err(feedRefusal('audience_refused', `aud ${quote(aud)}`));
  if (jti === undefined || iat === undefined)
    return err(feedRefusal('claim_missing', jti === undefined ? 'jti' : 'iat'));
  if (typeof jti !== 'string' || jti === '' || jti.length > limits.maxEventIdLength)
    return err(feedRefusal('claim_invalid', 'jti'));
  if (!isTime(iat)) return err(feedRefusal('claim_invalid', 'iat'));
  if (exp !== undefined && !isTime(exp)) return err(feedRefusal('claim_invalid', 'exp'));
  if (nbf !== undefined && !isTime(nbf)) return err(feedRefusal('claim_invalid', 'nbf'));
  const tolerance = limits.clockToleranceSeconds;
  if (iat > now + tolerance || (nbf ?? iat) > now + tolerance)
    return err(feedRefusal('not_yet_valid', iat > now + tolerance ? 'iat' : 'nbf'));
  if (exp !== undefined && exp <= now - tolerance) return err(feedRefusal('expired'));
  if (iat < now - tolerance - rules.maxAgeSeconds) return err(feedRefusal('too_old'));
  return ok({ id: jti, issuedAt: iat, claims });
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
