import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { causeOf, userAgent } from './probe.ts';

export interface WatchedStream {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** How long the first byte may take. */
  readonly patienceMs: number;
  /** For how long it is listened to after that. */
  readonly listenMs: number;
}

/** What became of it. `silent`: no byte came in time. `ended`: the other side closed it early. */
export type StreamSight =
  | { readonly kind: 'silent' }
  | { readonly kind: 'lasted'; readonly firstByteMs: number }
  | { readonly kind: 'ended'; readonly afterMs: number; readonly cause: string }
  /** Another answer than an event stream. */
  | { readonly kind: 'answered'; readonly status: number };

/** Listens to an event stream; the error is why there was no answer. */
export type WatchStream = (stream: WatchedStream) => Promise<Result<StreamSight, string>>;

const maxBytes = 4 * 1024 * 1024;

export function createWatchStream(outbound: Pick<Outbound, 'request'>): WatchStream {
  return async ({ method, url, headers, body, patienceMs, listenMs }) => {
    const stop = new AbortController();
    const startedMs = performance.now();
    let firstByteMs: number | undefined;
    let timer = setTimeout(() => stop.abort(), patienceMs);
    const answer = await outbound.request({
      method,
      url,
      headers: { accept: 'text/event-stream, application/json', 'user-agent': userAgent, ...headers },
      body,
      timeoutMs: patienceMs + listenMs + 5_000,
      maxBytes,
      signal: stop.signal,
      pool: 'doctor stream',
      onEvent: () => false,
      onStreamBytes() {
        if (firstByteMs !== undefined) return;
        firstByteMs = performance.now() - startedMs;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), listenMs);
      },
    });
    clearTimeout(timer);
    if (stop.signal.aborted)
      return ok(firstByteMs === undefined ? { kind: 'silent' } : { kind: 'lasted', firstByteMs });
    if (answer.ok && !answer.value.isStream) return ok({ kind: 'answered', status: answer.value.status });
    if (!answer.ok && firstByteMs === undefined) return err(causeOf(answer.error));
    const cause = answer.ok ? 'closed' : answer.error.detail;
    return ok({ kind: 'ended', afterMs: performance.now() - startedMs, cause });
  };
}
