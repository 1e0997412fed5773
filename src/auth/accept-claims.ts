import { isJsonObject } from '#kernel/json.ts';
import { type AudienceRule, audiencesOf } from './audience.ts';
import { claimsAt } from './claim-paths.ts';
import { quote } from './peek-token.ts';
import type { ClaimPaths, Preset } from './presets/preset.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import type { VerifiedClaims } from './verify-token.ts';

/** For whom an issuer's tokens must be, and for which clients they may have been made. */
export interface AcceptRules {
  readonly preset: Preset;
  readonly paths: ClaimPaths;
  readonly isForUs: AudienceRule;
  /** Undefined: any client. */
  readonly clients: ReadonlySet<string> | undefined;
}

/**
 * The gates after the signature: an access token, for us, made for a client that may come. Without the first an ID
 * token, which every website that a person signs in at holds, would open the gateway as that person.
 */
export function acceptClaims(
  payload: VerifiedClaims['payload'],
  rules: AcceptRules,
): AuthRefusal | undefined {
  const { preset, clients } = rules;
  const claims: unknown = payload;
  // A logout token often has no type of its own, and `events` alone tells it (RFC 8417 section 4.2).
  if (!isJsonObject(claims) || isJsonObject(claims.events) || !preset.isAccessToken(claims)) {
    return refusal('type_refused', 'the claims are not those of an access token');
  }
  const isKnownByClient = payload.aud === undefined && preset.mayLackAudience && clients !== undefined;
  if (!isKnownByClient && !rules.isForUs(audiencesOf(payload.aud))) {
    return refusal('audience_refused', `aud ${quote(payload.aud)}`);
  }
  if (clients === undefined) return undefined;
  const [client] = claimsAt(payload, rules.paths.client);
  if (typeof client === 'string' && clients.has(client)) return undefined;
  return refusal('client_refused', `client ${quote(client)}`);
}
