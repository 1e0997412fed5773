import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { quote } from './peek-token.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import type { VerifiedClaims } from './verify-token.ts';

/** What an issuer says about a token: its claims, or undefined for one that is not active (RFC 7662 section 2.2). */
export type IntrospectionAnswer = JsonObject | undefined;

/** The error is for the log. Whatever is not clearly an answer is none: the token is then neither good nor bad. */
export function readIntrospection(status: number, body: string): Result<IntrospectionAnswer, string> {
  if (status !== 200) return err(`status ${status}`);
  const parsed = parseJson(body);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('no JSON object');
  const { active } = parsed.value;
  if (typeof active !== 'boolean') return err('active is no boolean');
  return ok(active ? parsed.value : undefined);
}

/**
 * The claims of an opaque token, held to what is asked of a JWT: issuer, kind, times, age. An issuer answers about
 * refresh tokens as well: one that does not say that this is an access token is not believed to.
 */
export function claimsOfOpaque(
  answer: JsonObject,
  rules: { readonly issuer: string; readonly maxTokenAgeSeconds: number },
  nowMs: number,
): Result<VerifiedClaims, AuthRefusal> {
  const { iss, iat, exp, nbf } = answer;
  if (iss !== undefined && iss !== rules.issuer) return err(refusal('claim_invalid', `iss ${quote(iss)}`));
  const kind = kindOf(answer);
  if (!kind.ok) return kind;
  if (iat === undefined || exp === undefined) {
    return err(refusal('claim_missing', iat === undefined ? 'iat' : 'exp'));
  }
  if (typeof iat !== 'number') return err(refusal('claim_invalid', 'iat'));
  if (typeof exp !== 'number') return err(refusal('claim_invalid', 'exp'));
  if (nbf !== undefined && typeof nbf !== 'number') return err(refusal('claim_invalid', 'nbf'));
  const now = nowMs / 1_000;
  const tolerance = limits.clockToleranceSeconds;
  if (exp <= now - tolerance) return err(refusal('expired'));
  if (iat > now + tolerance) return err(refusal('not_yet_valid', 'iat'));
  if (nbf !== undefined && nbf > now + tolerance) return err(refusal('not_yet_valid', 'nbf'));
  if (now - iat > rules.maxTokenAgeSeconds + tolerance) return err(refusal('too_old'));
  return ok({ payload: answer, issuedAt: iat, expiresAt: exp });
}

const accessTokenUses = new Set(['access_token', 'access']);

/** `token_type` is the standard's word; `token_use` is that of servers which call refresh tokens Bearer, too. */
function kindOf(answer: JsonObject): Result<undefined, AuthRefusal> {
  const type = stringAt(answer, 'token_type')?.toLowerCase();
  const use = answer.token_use;
  const isAccessToken = type === 'bearer' || type === 'dpop';
  const isOtherUse = use !== undefined && !(typeof use === 'string' && accessTokenUses.has(use));
  // Bound to a key that is not named (RFC 9449 section 6.2 wants it to be): as a bearer token it would be anybody's.
  if (type === 'dpop' && answer.cnf === undefined) return err(refusal('sender_constrained'));
  if (isAccessToken && !isOtherUse) return ok(undefined);
  return err(refusal('type_refused', `token_type ${quote(answer.token_type)}, token_use ${quote(use)}`));
}
