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
 * One of the accepted audiences, byte for byte; the canonical URL also with a query of known choices (R34), because
 * clients send the URL they were given as `resource`. A laxer rule lets tokens for other services in.
 */
export function audienceRule(canonicalUrl: string, configured: readonly string[] | undefined): AudienceRule {
  const accepted = configured ?? [canonicalUrl];
  const isCanonicalAccepted = accepted.includes(canonicalUrl);
  return (audiences) =>
    audiences.some(
      (aud) =>
        accepted.includes(aud) ||
        (isCanonicalAccepted && aud.startsWith(canonicalUrl) && isKnownQuery(aud.slice(canonicalUrl.length))),
    );
}
