import { isJsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { DpopPolicy } from './options.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/**
 * The thumbprint of the key that a token is bound to by its `cnf` (RFC 9449 section 6), or undefined for one that is
 * bound to nothing. A binding that is not understood, to a certificate say, is one that would be ignored.
 */
export function bindingOf(cnf: unknown, policy: DpopPolicy): Result<string | undefined, AuthRefusal> {
  if (cnf === undefined) return policy === 'require' ? err(refusal('dpop_required')) : ok(undefined);
  if (policy === 'off' || !isJsonObject(cnf)) return err(refusal('sender_constrained'));
  const { jkt, ...others } = cnf;
  if (typeof jkt !== 'string' || Object.keys(others).length > 0) return err(refusal('sender_constrained'));
  return ok(jkt);
}
