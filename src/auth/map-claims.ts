import { isJsonObject } from '#kernel/json.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { audiencesOf } from './audience.ts';
import { claimsAt } from './claim-paths.ts';
import type { AuthOptions } from './options.ts';
import { planOf } from './plan.ts';
import type { ClaimPaths, Preset } from './presets/preset.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { rolesOf } from './roles-of.ts';
import { withImplied } from './scope-implications.ts';
import { scopesOf } from './scope-token.ts';
import { subjectAt } from './subject-of.ts';
import type { VerifiedClaims } from './verify-token.ts';

/** How one issuer's claims become a principal. */
export interface ClaimRules {
  readonly issuer: string;
  readonly preset: Preset;
  readonly paths: ClaimPaths;
  readonly scopesCeiling: ReadonlySet<string> | undefined;
  readonly roleScopes: ReadonlyMap<string, readonly string[]>;
  readonly maxTokenAgeSeconds: number;
}

/**
 * Reads the principal off verified claims. `expiresAt` is the earlier of `exp` and the maximum age. A token without
 * a subject is a client's own only if `sub` is the client, or absent where the preset allows that: else every user of a
 * client whose mapped subject is missing would become one principal.
 */
export function mapClaims(
  claims: VerifiedClaims,
  token: string,
  rules: ClaimRules,
  options: Pick<AuthOptions, 'scopeImplies' | 'plans'>,
): Result<Principal, AuthRefusal> {
  const { paths, preset } = rules;
  const { payload, issuedAt, expiresAt } = claims;
  const clientId = firstText(payload, paths.client);
  const named = subjectAt(payload, paths.subject);
  const isItsOwnSubject =
    clientId !== undefined &&
    (named === undefined || named === clientId) &&
    (payload.sub === undefined ? !preset.hasSubjectAlways : payload.sub === clientId);
  const subject = isItsOwnSubject ? clientId : textOf(named);
  if (subject === undefined) return err(refusal('subject_missing'));
  const isMachine =
    isItsOwnSubject ||
    (clientId !== undefined && isJsonObject(payload) && preset.isMachine(payload, clientId));

  const roles = claimsAt(payload, paths.role).flatMap((value) => rolesOf(value, preset.mayKeyRoles));
  const isAllowed = ceilingOf(payload, rules);
  const tokenScopes = unique(claimsAt(payload, paths.scopes).flatMap(scopesOf)).filter(isAllowed);
  const ofRoles = roles.flatMap((role) => rules.roleScopes.get(role) ?? []).filter(isAllowed);
  const scopes = withImplied([...tokenScopes, ...ofRoles], options.scopeImplies);
  return ok({
    kind: isMachine ? 'client' : 'user',
    issuer: rules.issuer,
    subject,
    key: principalKey(rules.issuer, subject),
    clientId,
    tokenScopes,
    scopes,
    scopeKey: [...scopes].sort().join(' '),
    plan: planOf(scopes, options.plans),
    email: firstText(payload, paths.email),
    // A role that means something here says more than the first of many.
    role: roles.find((role) => rules.roleScopes.has(role)) ?? roles[0],
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

/** Under the issuer's ceiling, and under that of the person's permissions where the token tells them. */
function ceilingOf(payload: VerifiedClaims['payload'], rules: ClaimRules): (scope: string) => boolean {
  const told = claimsAt(payload, rules.paths.permissions);
  const permissions = told.length === 0 ? undefined : new Set(told.flatMap(scopesOf));
  return (scope) => (rules.scopesCeiling?.has(scope) ?? true) && (permissions?.has(scope) ?? true);
}

function unique(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes)];
}

/** The first of the places that holds text, or an array that opens with text (`roles[0]`). */
function firstText(payload: VerifiedClaims['payload'], paths: readonly string[]): string | undefined {
  for (const value of claimsAt(payload, paths)) {
    const text = textOf(Array.isArray(value) ? value[0] : value);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Half a surrogate pair is no text: in a header it would be the same as any other. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.isWellFormed() ? value : undefined;
}
