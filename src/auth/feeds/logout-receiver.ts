import type { Clock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { IssuerKeys } from '../issuer-keys.ts';
import type { IssuerRevoker } from '../revocation.ts';
import type { OwnRevocation } from './read-events.ts';
import { type FeedRefusal, feedRefusal } from './refusal.ts';
import { type EventToken, verifyEventToken } from './verify-event-token.ts';

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
/** A logout token says that something happens now; the specification asks for two minutes at most. */
const maxAgeSeconds = 5 * 60;

/** Takes one issuer's logout tokens (OpenID Connect Back-Channel Logout 1.0). */
export interface LogoutReceiver {
  readonly issuer: string;
  receive(text: string): Promise<Result<void, FeedRefusal>>;
}

export interface LogoutReceiverDeps {
  readonly issuer: string;
  /** The client ids that the tokens may be for. */
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: Pick<IssuerKeys, 'candidates'>;
  readonly revoker: IssuerRevoker;
  readonly clock: Clock;
  readonly log: Log;
}

export function createLogoutReceiver(deps: LogoutReceiverDeps): LogoutReceiver {
  const { issuer, audience, algorithms, keys, revoker, clock, log } = deps;
  // Many issuers send no type of its own; what is no logout token fails for want of the event.
  const types = ['logout+jwt', 'jwt', undefined];
  const rules = { issuer, audience, algorithms, types, maxAgeSeconds };

  async function take(text: string): Promise<Result<void, FeedRefusal>> {
    const token = await verifyEventToken(text, rules, keys, clock.now());
    if (!token.ok) return token;
    const revocation = revocationOf(token.value);
    if (!revocation.ok) return revocation;
    const denied = await revoker.deny([revocation.value], `back-channel logout of ${issuer}`);
    return denied.ok ? ok(undefined) : err(feedRefusal('not_stored', denied.error.reason));
  }

  return {
    issuer,
    async receive(text) {
      const taken = await take(text);
      if (!taken.ok)
        log.warn('logout.refused', { issuer, reason: taken.error.reason, detail: taken.error.detail });
      return taken;
    },
  };
}

/** Section 2.6: the event, no nonce, and a session or a user. With both it is that session which ends. */
function revocationOf({ claims, issuedAt }: EventToken): Result<OwnRevocation, FeedRefusal> {
  const { events, nonce, sid, sub } = claims;
  if (!isJsonObject(events) || !isJsonObject(events[logoutEvent]))
    return err(feedRefusal('events_refused', 'no logout'));
  if (nonce !== undefined) return err(feedRefusal('nonce_refused'));
  if (sid === undefined && sub === undefined) return err(feedRefusal('claim_missing', 'sid, sub'));
  const value = sid ?? sub;
  if (typeof value !== 'string' || value === '' || value.length > limits.maxEventIdLength)
    return err(feedRefusal('claim_invalid', sid === undefined ? 'sub' : 'sid'));
  return ok({ kind: sid === undefined ? 'subject' : 'session', value, before: issuedAt });
}
