import { acceptClaims } from '#auth/accept-claims.ts';
import { explainClaims } from '#auth/explain-claims.ts';
import { issuerRulesOf } from '#auth/issuer-rules.ts';
import { parseKeySet } from '#auth/key-set.ts';
import { mapClaims } from '#auth/map-claims.ts';
import { acceptHeader, peekToken } from '#auth/peek-token.ts';
import { challengeScopesOf } from '#auth/protected-resource.ts';
import { bindingOf } from '#auth/token-binding.ts';
import { verifyToken } from '#auth/verify-token.ts';
import { holdsAll } from '#kernel/principal.ts';
import { count } from '../output.ts';
import { type Finding, fail, type Known, ok, type Step, type StepDeps, warn } from './finding.ts';
import { refusalFix } from './refusal-fix.ts';

/** What the gateway does with a token, gate by gate. */
export const tokenSteps: readonly Step[] = [
  { name: 'token', run: claimByClaim },
  { name: 'signature', run: signature },
  { name: 'acceptance', run: acceptance },
  { name: 'identity', run: identity },
];

/** Before anything is verified: what the token says, and what each claim is to us. */
function claimByClaim({ token = '', issuer, options }: Known, { now }: StepDeps): Finding {
  const peeked = peekToken(token);
  if (!peeked.ok)
    return fail(
      'this is no JWT: an opaque token, a part of one, or an encrypted one',
      'have the issuer give out JWT access tokens (with Auth0 and Hydra that is a setting), or set introspection for this issuer',
    );
  const rules = issuerRulesOf(issuer, options.canonicalUrl);
  const claims = explainClaims(peeked.value.claims, rules, now() / 1_000);
  const details = claims.map(
    ({ name, value, meaning, isGood }) => `${isGood ? ' ' : '!'} ${name} = ${value}: ${meaning}`,
  );
  const wrong = claims.filter(({ isGood }) => !isGood).map(({ name }) => name);
  const found = `${count(claims.length, 'claim')}${wrong.length === 0 ? '' : `; look at ${wrong.join(', ')}`}`;
  return ok(found, { details });
}

async function signature(known: Known, { now }: StepDeps): Promise<Finding> {
  const { token = '', issuer, options, keySet } = known;
  const rules = issuerRulesOf(issuer, options.canonicalUrl);
  const peeked = peekToken(token);
  if (!peeked.ok) return refused(peeked.error.reason, undefined);
  if (!rules.spellings.includes(peeked.value.issuer ?? ''))
    return refused('issuer_unknown', peeked.value.issuer);
  const header = acceptHeader(peeked.value.header, rules.algorithms, rules.preset.isTyped);
  if (!header.ok) return refused(header.error.reason, header.error.detail);
  const keys = parseKeySet(keySet);
  if (!keys.ok) return refused('keys_unavailable', keys.error);
  const candidates = await keys.value.candidates(header.value);
  if (!candidates.ok) return refused(candidates.error, `kid ${header.value.kid ?? 'absent'}`);
  const claims = await verifyToken(token, header.value, candidates.value, rules, now());
  if (!claims.ok) return refused(claims.error.reason, claims.error.detail);
  return ok(`${header.value.alg}, key ${header.value.kid ?? 'without kid'}, within its times`);
}

function acceptance({ token = '', issuer, options }: Known): Finding {
  const rules = issuerRulesOf(issuer, options.canonicalUrl);
  const peeked = peekToken(token);
  if (!peeked.ok) return refused(peeked.error.reason, undefined);
  const why = acceptClaims(peeked.value.claims, rules);
  if (why !== undefined) return refused(why.reason, why.detail);
  const binding = bindingOf(peeked.value.claims.cnf, issuer.dpop ?? 'allow');
  if (!binding.ok) return refused(binding.error.reason, binding.error.detail);
  const bound = binding.value === undefined ? '' : '; each request needs a proof of its key (DPoP)';
  return ok(`an access token, for this gateway, of a client that may come${bound}`);
}

function identity({ token = '', issuer, options }: Known): Finding {
  const peeked = peekToken(token);
  if (!peeked.ok) return refused(peeked.error.reason, undefined);
  const payload = peeked.value.claims;
  const { iat = 0, exp = 0 } = payload;
  const claims = { payload, issuedAt: Number(iat), expiresAt: Number(exp) };
  const mapped = mapClaims(claims, token, issuerRulesOf(issuer, options.canonicalUrl), options);
  if (!mapped.ok) return refused(mapped.error.reason, mapped.error.detail);
  const { kind, subject, clientId, scopes, plan, role, pool } = mapped.value;
  if (options.requiredPool !== undefined && pool !== options.requiredPool)
    return refused('pool_refused', `pool ${pool ?? 'absent'}`);
  if (options.baselineScopes.length > 0 && !holdsAll(scopes, options.baselineScopes))
    return refused('scope_missing', `needs ${options.baselineScopes.join(' ')}`);
  const details = [
    `scopes: ${[...scopes].join(' ') || 'none'}`,
    `plan: ${plan ?? 'none'}`,
    `role: ${role ?? 'none'}`,
    `client: ${clientId ?? 'none'}`,
  ];
  const found = `${kind === 'user' ? 'the person' : 'the machine'} ${subject}, plan ${plan ?? 'none'}`;
  if (scopes.size > 0) return ok(found, { details });
  const wanted = challengeScopesOf(options).join(' ');
  return warn(
    `${found}, without any scope: it sees no tool`,
    `grant scopes at the issuer (${wanted || 'plans names none'}), or map roles: auth.issuers roles`,
    { details },
  );
}

function refused(reason: Parameters<typeof refusalFix>[0], detail: string | undefined): Finding {
  return fail(`refused: ${reason}${detail === undefined ? '' : ` (${detail})`}`, refusalFix(reason));
}
