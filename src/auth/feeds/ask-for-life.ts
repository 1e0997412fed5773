import { randomId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { pause } from './pause.ts';
import type { RunningFeed } from './stream-feed.ts';

/** Asks a sender that pushes for verification events (SSF section 8.1.4), again and again: silence alone says nothing. */
export interface LifeAsking extends RunningFeed {
  /** Whether a verification with this state was asked for just now; it counts once. */
  isAwaited(state: string): boolean;
}

const maxAwaited = 4;
const timeoutMs = 4_000;
const maxAnswerBytes = 16 * 1024;

export function askForLife(deps: {
  readonly issuer: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly streamId: string | undefined;
  readonly outbound: Outbound;
  readonly schedule: Schedule;
  readonly log: Log;
}): LifeAsking {
  const { issuer, url, headers, streamId, outbound, schedule, log } = deps;
  const closed = new AbortController();
  let awaited: readonly string[] = [];

  /** How long to wait before the next: what the sender asks for, or as usual. */
  async function ask(): Promise<number> {
    const state = randomId();
    awaited = [...awaited, state].slice(-maxAwaited);
    const answer = await outbound.request({
      method: 'POST',
      url,
      headers: { ...headers, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ stream_id: streamId, state }),
      timeoutMs,
      maxBytes: maxAnswerBytes,
      signal: closed.signal,
      pool: `feed ${issuer}`,
      onEvent: undefined,
    });
    if (answer.ok && answer.value.status >= 200 && answer.value.status < 300) return limits.feedVerifyMs;
    const detail = answer.ok
      ? `status ${answer.value.status}`
      : `${answer.error.reason} (${answer.error.detail})`;
    if (!closed.signal.aborted) log.warn('feed.unverified', { issuer, detail });
    const wishedSeconds = answer.ok
      ? Number(answer.value.headers.get('retry-after') ?? Number.NaN)
      : Number.NaN;
    const wishedMs = Number.isFinite(wishedSeconds) ? Math.min(wishedSeconds, 600) * 1_000 : 0;
    return Math.max(limits.feedVerifyMs, wishedMs);
  }

  async function run(): Promise<void> {
    while (!closed.signal.aborted) await pause(await ask(), schedule, closed.signal);
  }

  const running = run();
  return {
    isAwaited(state) {
      const isKnown = awaited.includes(state);
      awaited = awaited.filter((one) => one !== state);
      return isKnown;
    },
    async close() {
      closed.abort();
      await running;
    },
  };
}
