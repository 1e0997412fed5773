import { limits } from '#kernel/limits.ts';
import {
  type Finding,
  fail,
  type Known,
  ok,
  type Step,
  type StepDeps,
  unreachable,
  warn,
} from './finding.ts';
import { proxyLines } from './proxy-lines.ts';
import { modernRpc, sessionHeaders } from './rpc.ts';
import type { StreamSight, WatchedStream } from './watch-stream.ts';

/** What tells a client of changes: streams, which a proxy may hold back or cut. */
export const streamSteps: readonly Step[] = [
  { name: 'stream', run: stream },
  { name: 'idle', run: idle },
];

const patienceMs = 5_000;
const pulseSeconds = limits.keepAliveMs / 1_000;

/** Both eras' streams say something at once: what does not come is being held back. */
async function stream(known: Known, deps: StepDeps): Promise<Finding> {
  for (const [kind, watched] of [
    ['subscriptions/listen', modernStream(known)],
    ['the stream of a session (GET)', sessionStream(known)],
  ] as const) {
    const seen = await deps.watch({ ...watched, patienceMs, listenMs: 0 });
    const finding = judgeOpening(kind, seen, known);
    if (finding !== undefined) return finding;
  }
  return ok('the first words come at once, in both ways');
}

function judgeOpening(
  kind: string,
  seen: Awaited<ReturnType<StepDeps['watch']>>,
  { proxy }: Known,
): Finding | undefined {
  const lines = { proxyLines: proxyLines('buffering', proxy) };
  if (!seen.ok)
    return seen.error.includes('compressed')
      ? warn(
          `${kind} is compressed on its way: some proxies hold back what does not fill a block`,
          'have the proxy compress no text/event-stream',
          lines,
        )
      : unreachable(`${kind} is not answered: ${seen.error}`, 'look at the proxy');
  switch (seen.value.kind) {
    case 'lasted':
      return undefined;
    case 'silent':
      return fail(
        `${kind} says nothing for ${patienceMs / 1_000} s: the proxy holds it back until it ends`,
        'turn buffering off in the proxy: clients hang, and hear of no change',
        lines,
      );
    case 'answered':
      return fail(
        `${kind} was answered ${seen.value.status}, no event stream`,
        'have the proxy pass GET and POST on as they are, with Accept and the answer’s Content-Type',
        lines,
      );
    case 'ended':
      return cut(kind, seen.value, proxy);
  }
}

/** A quiet stream has to outlive the pause between two signs of life. */
async function idle(known: Known, deps: StepDeps): Promise<Finding> {
  const seconds = Math.round(deps.listenMs / 1_000);
  deps.note(`listening to a quiet stream for ${seconds} s ...`);
  const seen = await deps.watch({ ...modernStream(known), patienceMs, listenMs: deps.listenMs });
  const opening = judgeOpening('a quiet stream', seen, known);
  if (opening !== undefined) return opening;
  const found = `a quiet stream stays open for ${seconds} s`;
  return seconds > pulseSeconds
    ? ok(`${found}, longer than the ${pulseSeconds} s between two signs of life`)
    : ok(`${found}; --listen-for 70 finds time-outs of a minute`);
}

function cut(
  kind: string,
  { afterMs, cause }: Extract<StreamSight, { kind: 'ended' }>,
  proxy: Known['proxy'],
): Finding {
  const after = `${(afterMs / 1_000).toFixed(afterMs < 10_000 ? 1 : 0)} s`;
  return fail(
    `${kind} is cut after ${after} (${cause})`,
    `raise the idle time-out of whatever stands before the gateway above ${2 * pulseSeconds} s, an hour is usual: the gateway says something every ${pulseSeconds} s`,
    { proxyLines: proxyLines('idle', proxy) },
  );
}

type Watched = Pick<WatchedStream, 'method' | 'url' | 'headers' | 'body'>;

function modernStream(known: Known): Watched {
  const { headers, body } = modernRpc(known, 'subscriptions/listen', {
    notifications: { toolsListChanged: true },
  });
  return { method: 'POST', url: known.url, headers: { ...headers, 'accept-encoding': 'gzip' }, body };
}

function sessionStream(known: Known): Watched {
  const headers = { ...sessionHeaders(known), 'accept-encoding': 'gzip' };
  return { method: 'GET', url: known.url, headers, body: undefined };
}
