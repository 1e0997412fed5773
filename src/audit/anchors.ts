import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';

/** A place for copies of checkpoints (anchors), out of reach of whoever can write the files. */
export interface AnchorSink {
  readonly name: 'webhook' | 'syslog' | 'otlp';
  /** Hands over checkpoint lines, within `limits.anchorTimeoutMs`. The error is a short cause for the log. */
  send(lines: readonly string[]): Promise<Result<void, string>>;
  /** Ends what is under way. */
  close(): void;
}

/** How a sink does. */
export interface AnchorSinkStatus {
  readonly sink: AnchorSink['name'];
  readonly delivered: number;
  readonly waiting: number;
  /** Anchors that gave way to later ones while the sink took none. */
  readonly dropped: number;
  /** Milliseconds since the epoch; undefined while it works. */
  readonly failingSince: number | undefined;
}

/** Brings each checkpoint to every sink, off the request path; a sink that fails holds up no other, and no record. */
export interface Anchors {
  ship(line: string): void;
  status(): readonly AnchorSinkStatus[];
  /** Tries once more, for `limits.anchorCloseMs` at most, and says what did not leave. */
  close(): Promise<void>;
}

interface AnchorDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly schedule: Schedule;
}

const linesPerSend = 100;
const complainEveryMs = 60_000;

export function createAnchors(sinks: readonly AnchorSink[], deps: AnchorDeps): Anchors {
  const queues = sinks.map((sink) => createQueue(sink, deps));
  return {
    ship(line) {
      for (const queue of queues) queue.ship(line);
    },
    status: () => queues.map((queue) => queue.status()),
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

/** The anchors one sink has not taken yet: bounded, in order, tried again with pauses. */
function createQueue(sink: AnchorSink, { clock, log, schedule }: AnchorDeps) {
  const waiting: string[] = [];
  let sending: Promise<void> | undefined;
  let callOff: (() => void) | undefined;
  let pauseMs: number = limits.anchorBackoffMs;
  let delivered = 0;
  let dropped = 0;
  let failingSince: number | undefined;
  let complainedAt: number | undefined;
  let isClosing = false;

  function start(): void {
    sending ??= sendAll()
      .catch((error: unknown) => failed(error instanceof Error ? error.message : 'unknown'))
      .finally(() => {
        sending = undefined;
        // One may have come between the last look and here.
        if (waiting.length > 0 && callOff === undefined && !isClosing) start();
      });
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting.splice(0, linesPerSend);
      const sent = await sink.send(lines);
      if (!sent.ok) {
        waiting.unshift(...lines);
        makeRoom();
        return failed(sent.error);
      }
      delivered += lines.length;
      recovered();
    }
  }

  function failed(cause: string): void {
    const now = clock.now();
    failingSince ??= now;
    if (complainedAt === undefined || now - complainedAt >= complainEveryMs) {
      complainedAt = now;
      log.error('audit.anchors_failing', { sink: sink.name, cause, waiting: waiting.length, dropped });
    }
    if (isClosing) return;
    callOff = schedule(pauseMs, () => {
      callOff = undefined;
      start();
    });
    pauseMs = Math.min(2 * pauseMs, limits.maxAnchorBackoffMs);
  }

  function recovered(): void {
    pauseMs = limits.anchorBackoffMs;
    complainedAt = undefined;
    if (failingSince === undefined) return;
    log.warn('audit.anchors_recovered', {
      sink: sink.name,
      since: new Date(failingSince).toISOString(),
      dropped,
    });
    failingSince = undefined;
  }

  function makeRoom(): void {
    const excess = waiting.length - limits.maxWaitingAnchors;
    if (excess <= 0) return;
    waiting.splice(0, excess);
    dropped += excess;
  }

  return {
    ship(line: string): void {
      if (isClosing) return;
      waiting.push(line);
      makeRoom();
      if (callOff === undefined) start();
    },
    status: (): AnchorSinkStatus => ({
      sink: sink.name,
      delivered,
      waiting: waiting.length,
      dropped,
      failingSince,
    }),
    async close(): Promise<void> {
      isClosing = true;
      callOff?.();
      callOff = undefined;
      start();
      let letGo: (() => void) | undefined;
      const patience = new Promise<void>((resolve) => {
        letGo = schedule(limits.anchorCloseMs, resolve);
      });
      await Promise.race([sending, patience]);
      letGo?.();
      sink.close();
      await sending;
      if (waiting.length > 0)
        log.error('audit.anchors_undelivered', { sink: sink.name, waiting: waiting.length });
    },
  };
}
