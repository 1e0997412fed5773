import { providerLimits } from './provider-limits.ts';

export interface ScopeSources {
  /** Of the server's 401. */
  readonly challenged: readonly string[] | undefined;
  /** Of the server's metadata. */
  readonly published: readonly string[] | undefined;
  readonly configured: readonly string[] | undefined;
  /** What the present grant holds, and what calls were refused for since. */
  readonly granted: readonly string[];
  readonly needed: readonly string[];
  /** What the authorization server says it knows. */
  readonly supported: readonly string[] | undefined;
}

const offline = 'offline_access';

/**
 * What to ask for: what the server challenged for, else what it publishes; what the operator wrote takes the place of
 * the published; always with what was granted and needed, so that asking for more loses nothing. `offline_access` goes
 * with it exactly where the authorization server advertises it. Empty: `scope` is left out, its default applies.
 */
export function scopesToAsk(sources: ScopeSources): readonly string[] {
  const { challenged, published, configured, granted, needed, supported } = sources;
  const base =
    configured === undefined ? (challenged ?? published ?? []) : [...(challenged ?? []), ...configured];
  const asked = [...new Set([...base, ...granted, ...needed])].filter(
    (scope) => scope !== offline && isScope(scope),
  );
  const chosen = asked.slice(0, providerLimits.maxScopes);
  if (chosen.length > 0 && supported?.includes(offline) === true) chosen.push(offline);
  return chosen;
}

/** What a token answer says was granted; undefined where it says nothing, which means: as asked (RFC 6749 section 5.1). */
export function grantedScopes(text: string | undefined): readonly string[] | undefined {
  const scopes = [...new Set(text?.split(' ').filter(isScope))];
  return scopes.length === 0 ? undefined : scopes.slice(0, providerLimits.maxScopes);
}

/** RFC 6749 section 3.3. */
function isScope(text: string): boolean {
  return text.length <= providerLimits.maxScopeLength && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}
