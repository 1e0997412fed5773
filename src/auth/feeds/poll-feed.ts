import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundFailure } from '#outbound/outbound.ts';
import { backoffMs } from './backoff.ts';
import { pause } from './pause.ts';
import { deliveryError, isPassing } from './refusal.ts';
import type { RunningFeed, StreamFeedDeps } from './stream-feed.ts';

const maxAnswerBytes = limits.feedBatch * (limits.maxEventTokenBytes + 2_048);

interface Collected {
  /** By id, as the sender names them. */
  readonly sets: readonly (readonly [string, string])[];
  readonly hasMore: boolean;
}

/** What the next request says of the last answer. */
interface Verdicts {
  readonly ack: readonly string[];
  readonly setErrs: JsonObject;
}
const nothingYet: Verdicts = { ack: [], setErrs: {} };

/**
 * Collects security event tokens (RFC 8936). A request waits for events; when it has waited too long, the next one asks
 * for an answer at once, as a sign of life. An event is acknowledged when it is revoked everywhere, and not before.
 */
export function openPollFeed(deps: StreamFeedDeps): RunningFeed {
  const { issuer, url, headers, outbound, receiver, pulse, clock, schedule, random, log } = deps;
  const closed = new AbortController();

  async function collect(
    verdicts: Verdicts,
    isUrgent: boolean,
  ): Promise<Result<Collected, OutboundFailure | string>> {
    const answer = await outbound.request({
      method: 'POST',
      url,
      headers: { ...headers, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ maxEvents: limits.feedBatch, returnImmediately: isUrgent, ...verdicts }),
      timeoutMs: limits.feedPollMs,
      maxBytes: maxAnswerBytes,
      signal: closed.signal,
      pool: `feed ${issuer}`,
      onEvent: undefined,
    });
    if (!answer.ok) return err(answer.error);
    if (answer.value.status !== 200) return err(`status ${answer.value.status}`);
    return readAnswer(answer.value.body);
  }

  async function judge({
    sets,
  }: Collected): Promise<{ readonly verdicts: Verdicts; readonly hasNews: boolean }> {
    const outcomes = await receiver.receive(sets.map(([, text]) => text));
    const ack: string[] = [];
    const setErrs: Record<string, JsonObject> = {};
    for (const [index, [id]] of sets.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined || (!outcome.ok && isPassing(outcome.error))) continue;
      if (outcome.ok) ack.push(id);
      else setErrs[id] = { ...deliveryError(outcome.error) };
    }
    const hasNews = outcomes.some((outcome) => outcome.ok && outcome.value === 'done');
    return { verdicts: { ack, setErrs }, hasNews };
  }

  async function run(): Promise<void> {
    let verdicts = nothingYet;
    let failures = 0;
    // The first answer is to come at once: until it has, the feed counts as lost.
    let isUrgent = true;
    while (!closed.signal.aborted) {
      const startedMs = clock.monotonic();
      const collected = await collect(verdicts, isUrgent);
      if (!collected.ok) {
        const isSilence = !isUrgent && isTimeout(collected.error);
        isUrgent = true;
        if (isSilence || closed.signal.aborted) continue;
        failures += 1;
        log.warn('feed.unreachable', { issuer, detail: detailOf(collected.error) });
        await pause(backoffMs(failures, undefined, random), schedule, closed.signal);
        continue;
      }
      failures = 0;
      const judged = await judge(collected.value);
      verdicts = judged.verdicts;
      isUrgent = collected.value.hasMore;
      // Not before all that waited is revoked.
      if (!isUrgent) pulse.heard();
      // A sender that does not wait for events, or sends again what it was told of, is not asked all the time.
      const leftMs = limits.feedPollPauseMs - (clock.monotonic() - startedMs);
      if (!judged.hasNews && leftMs > 0) await pause(leftMs, schedule, closed.signal);
    }
  }

  const running = run();
  return {
    async close() {
      closed.abort();
      await running;
    },
  };
}

function readAnswer(body: string): Result<Collected, string> {
  const parsed = parseJson(body);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('the answer is no JSON object');
  const { sets, moreAvailable } = parsed.value;
  if (!isJsonObject(sets)) return err('the answer has no sets');
  const texts = Object.entries(sets).flatMap(([id, text]) =>
    typeof text === 'string' ? [[id, text] as const] : [],
  );
  return ok({ sets: texts.slice(0, limits.feedBatch), hasMore: moreAvailable === true });
}

function isTimeout(error: OutboundFailure | string): boolean {
  return typeof error !== 'string' && error.reason === 'timeout' && error.phase !== 'connect';
}

function detailOf(error: OutboundFailure | string): string {
  return typeof error === 'string' ? error : `${error.reason} (${error.detail})`;
}
