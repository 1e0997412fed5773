import type { JsonObject } from '#kernel/json.ts';

/** What an event does to the tokens of its subject. */
export interface EventRule {
  /** What an opaque identifier names, where nothing around it says so. */
  readonly opaque: 'session' | 'subject';
  /**
   * `event`: tokens from before it happened; who signs in again afterwards is not hindered by late delivery.
   * `issued`: tokens from before it was told, as none can rightly have been given out in between.
   */
  readonly until: 'event' | 'issued';
  /** Whether this event, with these members, revokes anything. */
  readonly applies: (event: JsonObject) => boolean;
}

const always = () => true;
const signedOut: EventRule = { opaque: 'session', until: 'event', applies: always };
const newTokens: EventRule = { opaque: 'subject', until: 'event', applies: always };
const closed: EventRule = { opaque: 'subject', until: 'issued', applies: always };

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';

/** The events that revoke; every other one is passed over. docs/revocation-feeds.md has the same table. */
export const eventRules: ReadonlyMap<string, EventRule> = new Map([
  [`${caep}session-revoked`, signedOut],
  [`${caep}token-claims-change`, newTokens],
  // A credential that was added takes nothing away from the others.
  [`${caep}credential-change`, { ...newTokens, applies: ({ change_type: type }) => type !== 'create' }],
  [
    `${caep}assurance-level-change`,
    { ...newTokens, applies: (event) => event.change_direction !== 'increase' },
  ],
  [`${risc}account-disabled`, closed],
  [`${risc}account-purged`, closed],
  [`${risc}account-credential-change-required`, newTokens],
  [`${risc}credential-compromise`, newTokens],
  [`${risc}sessions-revoked`, newTokens],
  [`${oauth}token-revoked`, closed],
  [`${oauth}tokens-revoked`, closed],
]);

export const verificationEvents: ReadonlySet<string> = new Set([
  'https://schemas.openid.net/secevent/ssf/event-type/verification',
  'https://schemas.openid.net/secevent/risc/event-type/verification',
]);

export const streamUpdatedEvent = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';
