import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import type { WireOwner, Wires } from './channel.ts';
import { type Connection, createConnection } from './connection.ts';
import { createLive, readNews } from './live.ts';
import type { ClientInfo } from './modern-request.ts';
import { createPool, type Pool, type Seat } from './pool.ts';
import { createVerdict } from './verdict.ts';

export interface SeatsOptions {
  readonly clientInfo: ClientInfo;
  /** Of each message that is no user's call. */
  readonly timeoutMs: number;
  readonly maxSeats: number;
  readonly idleMs: number;
}
export interface SeatsDeps {
  readonly wires: Wires;
  readonly clock: Clock;
  readonly isDenied: (owner: Principal) => boolean;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onLists: (owner: WireOwner) => void;
  /** With the server's own URI. */
  readonly onResource: (uri: string, owner: WireOwner) => void;
}

/** The connections to one server, each with its ear: they share what is known of the server's era. */
export function createSeats(options: SeatsOptions, deps: SeatsDeps): Pool {
  const { wires, clock, random } = deps;
  const { clientInfo, timeoutMs, maxSeats, idleMs } = options;
  const verdict = createVerdict(clock, limits.eraVerdictMs);

  function make(owner: WireOwner): Seat {
    const connection: Connection = createConnection(
      owner,
      { clientInfo, openTimeoutMs: timeoutMs, probeMs: limits.stdioProbeMs },
      {
        clock,
        wires,
        verdict,
        onNotification(notification) {
          const news = readNews(notification);
          if (news?.kind === 'lists') deps.onLists(owner);
          if (news?.kind === 'resource') deps.onResource(news.uri, owner);
        },
        onAgreed({ era, session }) {
          // Its stream is where such a server asks the user, whatever call it is about.
          if (era === 'legacy' && session !== undefined) live.start();
        },
        onFresh: () => live.broke(),
      },
    );
    const live = createLive({ connection, clock, random, timeoutMs, onGap: () => deps.onLists(owner) });
    return { owner, connection, live };
  }

  return createPool({ maxSeats, idleMs, isShared: wires.isShared, isDenied: deps.isDenied }, clock, make);
}
