import type { BackendFailure } from '#backends/backend.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Result } from '#kernel/result.ts';
import { type Connection, silent } from './connection.ts';
import type { PeerNotification } from './inbox.ts';
import { pause } from './pause.ts';

/** What one connection is told by its server without being asked (R48). */
export interface Live {
  /** Listens from now on. */
  start(): void;
  /** Follows one of the server's own URIs until the returned function is called. */
  follow(uri: string): () => void;
  isFollowing(): boolean;
  /** Streams that are requests under way. */
  streams(): number;
  /** The wire broke: what was listened to is listened to anew. */
  broke(): void;
  close(): void;
}

export interface LiveDeps {
  readonly connection: Connection;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly timeoutMs: number;
  /** Something may have been missed while nobody listened. */
  readonly onGap: () => void;
}

/** A stream that lasted this long was a good one: the next failure is the first again. */
const goodStreamMs = 10_000;
const ackTimeoutMs = 5_000;
const settleMs = 20;
/** A GET that has not been refused for this long is being served. */
const begunMs = 250;

/**
 * Keeps one stream open for what a server says by itself: `subscriptions/listen`, or the legacy era's GET beside
 * `resources/subscribe`. It is opened again with growing, jittered pauses.
 */
export function createLive(deps: LiveDeps): Live {
  const { connection, clock } = deps;
  const closing = new AbortController();
  const followed = new Map<string, number>();
  /** What the legacy session is subscribed to, and in which generation. */
  let subscribed = new Set<string>();
  let subscribedIn = 0;
  let isRunning = false;
  let changed = new AbortController();
  let failures = 0;
  let hadGap = false;
  let streams = 0;
  /** The modern stream that is replaced once the next one is acknowledged. */
  let replaced: AbortController | undefined;

  function change(): void {
    const before = changed;
    changed = new AbortController();
    before.abort();
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const { signal } = changed;
      const startedAt = clock.monotonic();
      const agreed = await connection.agreed(closing.signal);
      if (closing.signal.aborted) return;
      const end = !agreed.ok
        ? outcomeOf(agreed.error)
        : agreed.value.era === 'modern'
          ? await listenModern(signal)
          : await listenLegacy();
      if (end === 'changed') {
        // Several changes at once are one new stream.
        await pause(settleMs, closing.signal);
        continue;
      }
      if (end === 'nothing') {
        filled();
        await aborted(AbortSignal.any([signal, closing.signal]));
        continue;
      }
      // Another account, or a link, makes a connection of its own.
      if (end === 'refused') return;
      hadGap = true;
      failures = clock.monotonic() - startedAt >= goodStreamMs ? 1 : failures + 1;
      const backoffMs = Math.min(
        limits.streamBackoffMs * 2 ** Math.min(failures - 1, 16),
        limits.maxStreamBackoffMs,
      );
      await pause(backoffMs * (0.5 + deps.random() / 2), closing.signal);
    }
  }

  type End = 'changed' | 'nothing' | 'ended' | 'refused';

  function outcomeOf({ reason }: BackendFailure): End {
    return reason === 'link_required' || reason === 'token_refused' ? 'refused' : 'ended';
  }

  function filled(): void {
    if (hadGap) deps.onGap();
    hadGap = false;
  }

  async function listenModern(changedSignal: AbortSignal): Promise<End> {
    const capabilities = await connection.capabilities(closing.signal);
    if (!capabilities.ok) return outcomeOf(capabilities.error);
    const filter = filterOf(capabilities.value, [...followed.keys()]);
    if (Object.keys(filter).length === 0) {
      replaced?.abort();
      return 'nothing';
    }
    const stop = new AbortController();
    const before = replaced;
    replaced = stop;
    const retire = (): void => before?.abort();
    const late = setTimeout(retire, ackTimeoutMs);
    streams++;
    const ended = connection.request({
      ...silent,
      method: 'subscriptions/listen',
      params: { notifications: filter },
      lane: 'stream',
      caller: undefined,
      timeoutMs: limits.serverStreamMs,
      maxBytes: limits.maxServerStreamBytes,
      signal: AbortSignal.any([stop.signal, closing.signal]),
      onNotification() {
        retire();
        filled();
      },
    });
    const over = ended.then((result) => {
      streams--;
      return endOf(result);
    });
    const end = await Promise.race([over, aborted(changedSignal).then(() => changedEnd)]);
    clearTimeout(late);
    // On a change the stream stays until its successor is acknowledged.
    if (end !== 'changed') retire();
    return end;
  }

  /** The stream stays as long as the session does; what is followed is told beside it. */
  async function listenLegacy(): Promise<End> {
    const generation = connection.generation();
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    const listened = connection.listen(signal, limits.serverStreamMs).then((result): End => {
      if (result === undefined || (result.ok && isWithoutStream(result.value.status))) return 'nothing';
      return endOf(result);
    });
    const begun = setTimeout(filled, begunMs);
    for (;;) {
      const next = aborted(changed.signal).then(() => changedEnd);
      void subscribeAll();
      const end = await Promise.race([listened, next]);
      const isOver = closing.signal.aborted || connection.generation() !== generation;
      if (end === 'changed' && !isOver) continue;
      clearTimeout(begun);
      stop.abort();
      return end;
    }
  }

  /** Makes the legacy session's subscriptions what they should be. */
  async function subscribeAll(): Promise<void> {
    const capabilities = await connection.capabilities(closing.signal);
    if (!capabilities.ok || !canSubscribe(capabilities.value)) return;
    if (connection.generation() !== subscribedIn) subscribed = new Set();
    subscribedIn = connection.generation();
    for (const uri of followed.keys()) {
      if (subscribed.has(uri)) continue;
      subscribed.add(uri);
      const answer = await tell('resources/subscribe', uri);
      if (!answer.ok) subscribed.delete(uri);
    }
    for (const uri of [...subscribed]) {
      if (followed.has(uri)) continue;
      subscribed.delete(uri);
      await tell('resources/unsubscribe', uri);
    }
  }

  function tell(method: string, uri: string): Promise<Result<unknown, BackendFailure>> {
    const { signal } = closing;
    return connection.request({ ...silent, method, params: { uri }, timeoutMs: deps.timeoutMs, signal });
  }

  function begin(): void {
    if (isRunning || closing.signal.aborted) return;
    isRunning = true;
    void run().finally(() => {
      isRunning = false;
    });
  }

  return {
    start: begin,
    follow(uri) {
      const count = followed.get(uri) ?? 0;
      if (count === 0 && followed.size >= limits.maxFollowedPerConnection) return () => {};
      followed.set(uri, count + 1);
      if (count === 0) change();
      begin();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (followed.get(uri) ?? 1) - 1;
        if (left > 0) {
          followed.set(uri, left);
          return;
        }
        followed.delete(uri);
        change();
      };
    },
    isFollowing: () => followed.size > 0,
    streams: () => streams,
    broke() {
      hadGap = true;
      change();
    },
    close() {
      closing.abort();
      change();
    },
  };
}

const changedEnd = 'changed' as const;

/** 405 and its like: this server has no stream for us, and will not have one a moment later. */
function isWithoutStream(status: number): boolean {
  return status === 405 || status === 400 || status === 406 || status === 501;
}

function endOf(result: Result<unknown, BackendFailure> | undefined): 'ended' | 'refused' {
  if (result === undefined || result.ok) return 'ended';
  const { reason } = result.error;
  return reason === 'link_required' || reason === 'token_refused' ? 'refused' : 'ended';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** What is listened to: the lists that the server says it announces, and the followed resources. */
function filterOf(capabilities: JsonObject | undefined, uris: readonly string[]): JsonObject {
  const announces = (name: string): boolean => {
    const capability = capabilities?.[name];
    return isJsonObject(capability) && capability.listChanged === true;
  };
  return {
    ...(announces('tools') ? { toolsListChanged: true } : {}),
    ...(announces('prompts') ? { promptsListChanged: true } : {}),
    ...(announces('resources') ? { resourcesListChanged: true } : {}),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  };
}

function canSubscribe(capabilities: JsonObject | undefined): boolean {
  const { resources } = capabilities ?? {};
  return isJsonObject(resources) && resources.subscribe === true;
}

/** Which lists a notification says have changed, and which resource. */
export function readNews(
  notification: PeerNotification,
): { readonly kind: 'lists' } | { readonly kind: 'resource'; readonly uri: string } | undefined {
  switch (notification.method) {
    case 'notifications/tools/list_changed':
    case 'notifications/prompts/list_changed':
    case 'notifications/resources/list_changed':
      return { kind: 'lists' };
    case 'notifications/resources/updated': {
      const { uri } = notification.params;
      return typeof uri === 'string' ? { kind: 'resource', uri } : undefined;
    }
    default:
      return undefined;
  }
}
