import type { Database } from 'bun:sqlite';
import { SignJWT } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import { sseHeaders, sseKeepAlive, sseMessage } from '#wire/sse.ts';
import { seconds } from './database.ts';
import type { ServerLimits } from './options.ts';
import type { SigningKey } from './signing-key.ts';

export type RevocationEvent =
  | { readonly kind: 'session'; readonly sub: string; readonly sid: string }
  | { readonly kind: 'token'; readonly jti: string };

export interface RevocationFeed {
  publish(event: RevocationEvent): Promise<void>;
  /**
   * A stream of signed security event tokens (RFC 8417), one `message` event each. It opens with everything after
   * `Last-Event-ID`, else with all that may still matter, so that a reader who was away misses nothing.
   */
  open(lastEventId: string | null): Response;
  close(): void;
}

interface EventRow {
  readonly id: number;
  readonly token: string;
}

const eventTypes = {
  session: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  token: 'https://schemas.openid.net/secevent/oauth/event-type/token-revoked',
} as const;

export function createRevocationFeed(deps: {
  readonly database: Database;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly limits: ServerLimits;
}): RevocationFeed {
  const { database, issuer, key, clock, limits } = deps;
  const insert = database.query<EventRow, { token: string; now: number }>(
    'INSERT INTO events (token, created_at) VALUES ($token, $now) RETURNING id, token',
  );
  const prune = database.query('DELETE FROM events WHERE id <= $upTo OR created_at < $before');
  const after = database.query<EventRow, { id: number }>(
    'SELECT id, token FROM events WHERE id > $id ORDER BY id',
  );
  const readers = new Set<Reader>();

  return {
    async publish(event) {
      const now = seconds(clock);
      const subject =
        event.kind === 'token'
          ? { format: 'jwt_id', iss: issuer, jti: event.jti }
          : {
              format: 'complex',
              user: { format: 'iss_sub', iss: issuer, sub: event.sub },
              session: { format: 'opaque', id: event.sid },
            };
      const token = await new SignJWT({
        sub_id: subject,
        events: { [eventTypes[event.kind]]: { event_timestamp: now } },
      })
        .setProtectedHeader({ alg: 'RS256', typ: 'secevent+jwt', kid: key.kid })
        .setIssuer(issuer)
        .setAudience([...deps.audience])
        .setIssuedAt(now)
        .setJti(randomId())
        .sign(key.privateKey);
      const row = insert.get({ token, now });
      if (row === null) throw new Error('The revocation event was not stored.');
      // An event matters for as long as a token minted before it can live.
      prune.run({ upTo: row.id - limits.maxEvents, before: now - limits.accessTokenSeconds });
      for (const reader of readers) reader.send(sseMessage(row.token, String(row.id)));
    },
    open(lastEventId) {
      if (readers.size >= limits.maxEventStreams)
        return new Response(null, { status: 503, headers: { 'retry-after': '5' } });
      const since = lastEventId !== null && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : 0;
      const backlog = after.all({ id: since }).map((row) => sseMessage(row.token, String(row.id)));
      const reader = createReader(['retry: 1000\n\n', ...backlog], limits.heartbeatMs, () =>
        readers.delete(reader),
      );
      readers.add(reader);
      return new Response(reader.stream, { headers: sseHeaders });
    },
    close() {
      for (const reader of readers) reader.end();
    },
  };
}

interface Reader {
  readonly stream: ReadableStream<Uint8Array>;
  send(text: string): void;
  end(): void;
}

/** One open stream with its heartbeat. A reader that stops reading is cut off: it comes back with its last event id. */
function createReader(opening: readonly string[], heartbeatMs: number, onEnd: () => void): Reader {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stop = () => {
    clearInterval(heartbeat);
    controller = undefined;
    onEnd();
  };
  const reader: Reader = {
    stream: new ReadableStream<Uint8Array>(
      {
        start(started) {
          controller = started;
          started.enqueue(encoder.encode(opening.join('')));
        },
        cancel: stop,
      },
      { highWaterMark: 1_000 },
    ),
    send(text) {
      if (controller === undefined) return;
      controller.enqueue(encoder.encode(text));
      if ((controller.desiredSize ?? 0) <= 0) reader.end();
    },
    end() {
      const open = controller;
      stop();
      open?.close();
    },
  };
  const heartbeat = setInterval(() => reader.send(sseKeepAlive), heartbeatMs);
  return reader;
}
