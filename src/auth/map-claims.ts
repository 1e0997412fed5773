import type { JWTPayload } from 'jose';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { audiencesOf } from './audience.ts';
import { type ClaimPaths, claimsAt } from './claim-paths.ts';
import type { AuthOptions } from './options.ts';
import { planOf } from './plan.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { withImplied } from './scope-implications.ts';
import { scopesOf } from './scope-token.ts';
import type { VerifiedClaims } from './verify-token.ts';

/** How one issuer's claims become a principal. */
export interface ClaimRules {
  readonly issuer: string;
  readonly paths: ClaimPaths;
  readonly scopesCeiling: ReadonlySet<string> | undefined;
  readonly maxTokenAgeSeconds: number;
}

/**
 * Reads the principal off verified claims. `expiresAt` is the earlier of `exp` and the maximum age. A token without
 * a subject is a client's own only if `sub` is absent too, or is the client: else every user of a client whose
 * mapped subject is missing would become one principal.
 */
export function mapClaims(
  claims: VerifiedClaims,
  token: string,
  rules: ClaimRules,
  options: Pick<AuthOptions, 'scopeImplies' | 'plans'>,
): Result<Principal, AuthRefusal> {
  const { paths } = rules;
  const { payload, issuedAt, expiresAt } = claims;
  const clientId = firstText(payload, paths.client);
  const [named] = claimsAt(payload, paths.subject);
  const isClients =
    clientId !== undefined &&
    (named === undefined || named === clientId) &&
    (payload.sub === undefined || payload.sub === clientId);
  const subject = isClients ? clientId : textOf(named);
  if (subject === undefined) return err(refusal('subject_missing'));

  const listed = [...new Set(claimsAt(payload, paths.scopes).flatMap(scopesOf))];
  const tokenScopes = listed.filter((scope) => rules.scopesCeiling?.has(scope) ?? true);
  const scopes = withImplied(tokenScopes, options.scopeImplies);
  return ok({
    kind: isClients ? 'client' : 'user',
    issuer: rules.issuer,
    subject,
    key: principalKey(rules.issuer, subject),
    clientId,
    tokenScopes,
    scopes,
    scopeKey: [...scopes].sort().join(' '),
    plan: planOf(scopes, options.plans),
    email: firstText(payload, paths.email),
    role: firstText(payload, paths.role),
    pool: firstText(payload, paths.pool),
    tokenId: firstText(payload, paths.tokenId),
    sessionId: firstText(payload, paths.session),
    grantId: firstText(payload, paths.grant),
    audience: audiencesOf(payload.aud),
    issuedAt,
    expiresAt: Math.min(expiresAt, issuedAt + rules.maxTokenAgeSeconds),
    token: new Secret(token),
    tokenKind: 'jwt',
  });
}

/** The first of the places that holds text, or an array that opens with text (`roles[0]`). */
function firstText(payload: JWTPayload, paths: readonly string[]): string | undefined {
  for (const value of claimsAt(payload, paths)) {
    const text = textOf(Array.isArray(value) ? value[0] : value);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
