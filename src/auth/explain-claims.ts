import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { audiencesOf } from './audience.ts';
import type { IssuerRules } from './issuer-rules.ts';
import { quote } from './peek-token.ts';

/** One claim of a token: what it says, and what that is to the gateway. */
export interface ExplainedClaim {
  readonly name: string;
  /** As JSON, cut. */
  readonly value: string;
  readonly meaning: string;
  readonly isGood: boolean;
}

const maxValueLength = 120;

/** Every claim there is, in the token's order, then the ones that are missing. Verifies nothing. */
export function explainClaims(
  payload: JsonObject,
  rules: IssuerRules,
  nowSeconds: number,
): readonly ExplainedClaim[] {
  const present = Object.entries(payload).map(([name, value]) => ({
    name,
    value: cut(quote(value)),
    ...meaningOf(name, value, rules, nowSeconds),
  }));
  const isAudienceMissing = !(rules.preset.mayLackAudience && rules.clients !== undefined);
  const needed = ['iss', 'exp', 'iat', ...(isAudienceMissing ? ['aud'] : [])];
  const missing = needed
    .filter((name) => payload[name] === undefined)
    .map((name) => ({ name, value: 'absent', meaning: 'needed', isGood: false }));
  return [...present, ...missing];
}

type Meaning = Pick<ExplainedClaim, 'meaning' | 'isGood'>;
const good = (meaning: string): Meaning => ({ meaning, isGood: true });
const bad = (meaning: string): Meaning => ({ meaning, isGood: false });

function meaningOf(name: string, value: unknown, rules: IssuerRules, now: number): Meaning {
  switch (name) {
    case 'iss':
      return typeof value === 'string' && rules.spellings.includes(value)
        ? good('the issuer')
        : bad(`not ${rules.issuer}`);
    case 'aud':
      return rules.isForUs(audiencesOf(value)) ? good('for this gateway') : bad('for somebody else');
    case 'exp':
    case 'iat':
    case 'nbf':
      return typeof value === 'number' ? timeMeaning(name, value, rules, now) : bad('no number of seconds');
    case 'cnf':
      return good('the key that must prove itself with each request');
    default:
      return good(usesOf(name, rules).join(', ') || 'not read');
  }
}

function timeMeaning(name: 'exp' | 'iat' | 'nbf', at: number, rules: IssuerRules, now: number): Meaning {
  const tolerance = limits.clockToleranceSeconds;
  const ago = now - at;
  if (name === 'exp') return ago > tolerance ? bad(`ended ${span(ago)} ago`) : good(`ends in ${span(-ago)}`);
  if (-ago > tolerance) return bad(`${span(-ago)} ahead of this machine's clock`);
  if (name === 'nbf') return good('has begun');
  return ago > rules.maxTokenAgeSeconds + tolerance
    ? bad(`issued ${span(ago)} ago, more than max_token_age`)
    : good(`issued ${span(Math.max(0, ago))} ago`);
}

/** What the preset, or the operator, reads off a claim of this name. */
function usesOf(name: string, { paths }: IssuerRules): readonly string[] {
  const uses: readonly (readonly [string, readonly string[]])[] = [
    ['who it is', paths.subject],
    ['scopes', paths.scopes],
    ['a ceiling over the scopes', paths.permissions],
    ['the client', paths.client],
    ['roles', paths.role],
    ['the pool', paths.pool],
    ['the e-mail address', paths.email],
    ['the session', paths.session],
    ['the grant', paths.grant],
    ['the id of the token', paths.tokenId],
  ];
  const isAt = (path: string) =>
    path.split('+').some((part) => part === name || (!part.includes('://') && part.startsWith(`${name}.`)));
  return uses.filter(([, places]) => places.some(isAt)).map(([use]) => use);
}

function span(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.round(whole / 60)} min`;
  return whole < 172_800 ? `${Math.round(whole / 3_600)} h` : `${Math.round(whole / 86_400)} d`;
}

function cut(text: string): string {
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength - 1)}…`;
}
