import type { Authenticator } from '#auth/authenticate.ts';
import type { DenyList } from '#auth/deny-list.ts';
import type { MissingScopePolicy } from '#auth/options.ts';
import type { Backend } from '#backends/backend.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import type { Allowance } from './allowance.ts';
import type { Builtin } from './builtins/builtin.ts';
import type { TicketDesk } from './builtins/tickets.ts';
import type { WhoamiCache } from './builtins/whoami.ts';
import type { InteractiveDeps } from './interactive.ts';
import type { LinkWaits } from './link-waits.ts';
import type { Links } from './links.ts';
import type { Personal } from './personal.ts';
import type { Sessions } from './session.ts';
import type { SessionStates } from './session-state.ts';
import type { Streams } from './streams.ts';
import type { Views } from './views.ts';

/** What an operator may change while the gateway runs. */
export interface EdgeSettings {
  readonly missingScope: MissingScopePolicy;
  readonly serverName: string;
  readonly serverVersion: string;
  readonly websiteUrl: string | undefined;
  /** The polling interval, which is the `ttlMs` of every list. */
  readonly listTtlMs: number;
  readonly maxRequestBodyBytes: number;
}

/** Everything the methods work with; made once in `gateway.ts`. */
export interface EdgeDeps {
  readonly settings: () => EdgeSettings;
  readonly snapshot: () => Snapshot;
  readonly backend: (id: BackendId) => Backend | undefined;
  readonly denyList: Pick<DenyList, 'denies' | 'onDenied'>;
  readonly isStillGood: Authenticator['isStillGood'];
  readonly views: Views;
  readonly personal: Personal;
  readonly links: Links;
  readonly linkWaits: LinkWaits;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly allowance: Allowance;
  readonly interactive: InteractiveDeps;
  readonly sessions: Sessions;
  readonly sessionStates: SessionStates;
  readonly streams: Streams;
  readonly whoami: WhoamiCache;
  readonly tickets: TicketDesk;
  readonly clock: Clock;
  readonly log: Log;
}
