import { isStringArray } from '#kernel/json.ts';
import { isKnownQuery } from './known-query.ts';

/** The audiences a token names: `aud` as a string or an array of strings; anything else is none. */
export function audiencesOf(aud: unknown): readonly string[] {
  if (typeof aud === 'string') return [aud];
  return isStringArray(aud) ? aud : [];
}

/** Decides whether a token with these audiences is meant for this gateway. */
export type AudienceRule = (audiences: readonly string[]) => boolean;

/**
 * By default the canonical URL, byte for byte, with or without a query of known choices (R34): clients send the
 * URL they were given as `resource`. A configured list is exact. A laxer rule lets tokens for other services in.
 */
export function audienceRule(canonicalUrl: string, configured: readonly string[] | undefined): AudienceRule {
  if (configured !== undefined) return (audiences) => audiences.some((aud) => configured.includes(aud));
  return (audiences) =>
    audiences.some(
      (aud) =>
        aud === canonicalUrl ||
        (aud.startsWith(canonicalUrl) && isKnownQuery(aud.slice(canonicalUrl.length))),
    );
}
