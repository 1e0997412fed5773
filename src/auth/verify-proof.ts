import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/** What a proof must be about (RFC 9449 section 4.3). */
export interface ProofTarget {
  readonly method: string;
  /** The gateway's public URL, as it is configured: not what a proxy made of the request. */
  readonly url: string;
  readonly token: string;
  /** The thumbprint of the key that the token is bound to. */
  readonly boundTo: string;
}

export interface VerifiedProof {
  readonly id: string;
  /** Undefined: it has none. */
  readonly nonce: string | undefined;
}

/** With an algorithm of a shared secret anybody could make one. */
export const proofAlgorithms: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'];

/**
 * Verifies a DPoP proof: one JWT of its own type, signed by the key in its head, which is the one the token is bound
 * to; about this request, this token and this minute. Does not check: the nonce, and whether it was used before.
 */
export async function verifyProof(
  proof: string | null,
  target: ProofTarget,
  nowMs: number,
): Promise<Result<VerifiedProof, AuthRefusal>> {
  if (proof === null) return err(refusal('proof_missing'));
  // Several headers arrive as one, joined by commas.
  if (proof.includes(',')) return err(refusal('proof_malformed', 'several'));
  if (proof.length > limits.maxProofBytes) return err(refusal('proof_malformed', `${proof.length} bytes`));
  const signed = await verifySignature(proof, nowMs);
  if (!signed.ok) return signed;
  const { payload, thumbprint } = signed.value;
  const { jti, htm, htu, iat, ath, nonce } = payload;
  if (typeof jti !== 'string' || jti === '') return err(refusal('proof_malformed', 'jti'));
  if (typeof iat !== 'number') return err(refusal('proof_malformed', 'iat'));
  if (nonce !== undefined && typeof nonce !== 'string') return err(refusal('proof_malformed', 'nonce'));
  if (thumbprint !== target.boundTo) return err(refusal('proof_key_refused'));
  if (htm !== target.method) return err(refusal('proof_request_mismatch', 'htm'));
  if (typeof htu !== 'string' || withoutQuery(htu) !== withoutQuery(target.url)) {
    return err(refusal('proof_request_mismatch', `htu ${JSON.stringify(htu)}`));
  }
  if (ath !== hashOf(target.token)) return err(refusal('proof_token_mismatch'));
  const age = nowMs / 1_000 - iat;
  const tolerance = limits.clockToleranceSeconds;
  if (age > limits.proofAgeSeconds + tolerance || age < -tolerance) {
    return err(refusal('proof_expired', `made ${Math.round(age)} s ago`));
  }
  return ok({ id: hashOf(jti), nonce });
}

async function verifySignature(
  proof: string,
  nowMs: number,
): Promise<Result<{ payload: Readonly<Record<string, unknown>>; thumbprint: string }, AuthRefusal>> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...proofAlgorithms],
      typ: 'dpop+jwt',
      currentDate: new Date(nowMs),
      clockTolerance: limits.clockToleranceSeconds,
    });
    const { jwk } = protectedHeader;
    if (jwk === undefined) return err(refusal('proof_malformed', 'jwk'));
    return ok({ payload, thumbprint: await calculateJwkThumbprint(jwk, 'sha256') });
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return err(refusal('proof_signature_invalid'));
    if (error instanceof errors.JWTExpired) return err(refusal('proof_expired', error.claim));
    return err(refusal('proof_malformed', error instanceof errors.JOSEError ? error.code : 'the key'));
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Both sides normalised alike (RFC 9449 section 4.3). */
function withoutQuery(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null ? undefined : parsed.origin + parsed.pathname;
}
