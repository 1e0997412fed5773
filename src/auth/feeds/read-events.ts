import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Revocation } from '../revocation.ts';
import { eventRules, streamUpdatedEvent, verificationEvents } from './event-types.ts';
import { type FeedRefusal, feedRefusal } from './refusal.ts';
import { eventSubject } from './subject.ts';
import type { EventToken } from './verify-event-token.ts';

export type OwnRevocation = Omit<Revocation, 'issuer'>;

/** What a security event token (RFC 8417) says, in our words. */
export interface ReadEvents {
  readonly revocations: readonly OwnRevocation[];
  /** Types that revoke nothing here, and what stood in the way of others; for the log. */
  readonly passedOver: readonly string[];
  /** A sign of life that was asked for, or not; its `state` if it has one. */
  readonly verification: { readonly state: string | undefined } | undefined;
  /** The sender goes on, or will not send for now. */
  readonly streamStatus: 'enabled' | 'stopped' | undefined;
}

/**
 * Reads the events of a verified token. `issuers`: how its subjects may name the issuer. A subject of another issuer
 * refuses the token whole.
 */
export function readEvents(
  { claims, issuedAt }: EventToken,
  issuers: readonly string[],
): Result<ReadEvents, FeedRefusal> {
  if (!isJsonObject(claims.events)) return err(feedRefusal('events_refused', 'no object'));
  const events = Object.entries(claims.events);
  if (events.length === 0 || events.length > limits.maxEventsPerToken)
    return err(feedRefusal('events_refused', `${events.length} events`));

  const revocations: OwnRevocation[] = [];
  const passedOver: string[] = [];
  let verification: ReadEvents['verification'];
  let streamStatus: ReadEvents['streamStatus'];
  for (const [type, content] of events) {
    const event = isJsonObject(content) ? content : {};
    if (verificationEvents.has(type)) verification = { state: stringAt(event, 'state') };
    if (type === streamUpdatedEvent) streamStatus = event.status === 'enabled' ? 'enabled' : 'stopped';
    const rule = eventRules.get(type);
    if (rule === undefined || !rule.applies(event)) {
      if (!verificationEvents.has(type) && type !== streamUpdatedEvent) passedOver.push(type);
      continue;
    }
    const subject = eventSubject(identifierOf(claims, event), issuers, rule.opaque);
    if (subject.ok) {
      const until =
        rule.until === 'event' && subject.value.kind === 'subject' ? happenedAt(event, claims) : undefined;
      // Nothing is revoked for the time after it was told, whatever the event says of its own.
      revocations.push({ ...subject.value, before: Math.min(until ?? issuedAt, issuedAt) });
      continue;
    }
    if (subject.error === 'foreign') return err(feedRefusal('subject_foreign', type));
    passedOver.push(`${type}: its subject is not one that tokens name`);
  }
  return ok({ revocations, passedOver, verification, streamStatus });
}

/** SSF has one subject for the token; before it each event had its own; RFC 8417 alone has `sub`. */
function identifierOf(claims: JsonObject, event: JsonObject): JsonObject {
  if (isJsonObject(claims.sub_id)) return claims.sub_id;
  if (isJsonObject(event.subject)) return event.subject;
  const { iss, sub } = claims;
  return sub === undefined ? { format: 'none' } : { format: 'iss_sub', iss, sub };
}

/** Seconds since the epoch. Earlier drafts counted milliseconds: no second lies that far ahead. */
function happenedAt(event: JsonObject, claims: JsonObject): number | undefined {
  const { event_timestamp: own } = event;
  const time = typeof own === 'number' ? own : claims.toe;
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) return undefined;
  return Math.floor(time > 100_000_000_000 ? time / 1_000 : time);
}
