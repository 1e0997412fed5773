import { errors, jwtVerify } from 'jose';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { AcceptedHeader } from './peek-token.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/** Claims whose source and times were checked. Times in seconds since the epoch. */
export interface VerifiedClaims {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface VerifyRules {
  /** As its tokens may spell it. */
  readonly spellings: readonly string[];
  readonly maxTokenAgeSeconds: number;
}

/**
 * Verifies the signature with the first key that fits, then `iss`, `exp`, `nbf`, `iat` and the age.
 * Does not check: audience, subject, type, confirmation.
 */
export async function verifyToken(
  token: string,
  header: AcceptedHeader,
  keys: readonly CryptoKey[],
  rules: VerifyRules,
  nowMs: number,
): Promise<Result<VerifiedClaims, AuthRefusal>> {
  for (const key of keys) {
    const outcome = await verifyWith(key, token, header, rules, nowMs);
    if (outcome.ok || outcome.error.reason !== 'signature_invalid') return outcome;
  }
  return err(refusal('signature_invalid'));
}

async function verifyWith(
  key: CryptoKey,
  token: string,
  header: AcceptedHeader,
  rules: VerifyRules,
  nowMs: number,
): Promise<Result<VerifiedClaims, AuthRefusal>> {
  try {
    // jose accepts a token without `exp`, and one of any age, unless told otherwise.
    const { payload } = await jwtVerify(token, key, {
      algorithms: [header.alg],
      issuer: [...rules.spellings],
      requiredClaims: ['exp', 'iat'],
      maxTokenAge: rules.maxTokenAgeSeconds,
      clockTolerance: limits.clockToleranceSeconds,
      currentDate: new Date(nowMs),
    });
    if (payload.iat === undefined || payload.exp === undefined) return err(refusal('claim_missing'));
    return ok({ payload, issuedAt: payload.iat, expiresAt: payload.exp });
  } catch (error) {
    return err(refusalOf(error));
  }
}

function refusalOf(error: unknown): AuthRefusal {
  if (error instanceof errors.JWSSignatureVerificationFailed) return refusal('signature_invalid');
  if (error instanceof errors.JWTExpired) return refusal(error.claim === 'iat' ? 'too_old' : 'expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === 'missing') return refusal('claim_missing', error.claim);
    if (error.reason === 'invalid') return refusal('claim_invalid', error.claim);
    if (error.claim === 'iat' || error.claim === 'nbf') return refusal('not_yet_valid', error.claim);
    return refusal('claim_invalid', error.claim);
  }
  if (error instanceof errors.JOSEError) return refusal('token_malformed', error.code);
  // Not jose's own: WebCrypto or jose's key checks refused the key (an RSA key of 1024 bits, say).
  return refusal('key_unusable');
}
