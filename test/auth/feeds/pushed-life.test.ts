import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { Secret } from '#kernel/secret.ts';
import { eventTypes, mintEvent } from '../../support/event-tokens.ts';
import { stopwatch } from '../../support/stopwatch.ts';
import { type FeedKit, openKit, pace, until } from './feed-kit.ts';

/** The verification endpoint of a sender (SSF 8.1.4): each request is answered by an event, pushed. */
let asked: { readonly body: JsonObject; readonly authorization: string | null; readonly at: number }[];
let answer: (state: string) => Promise<void>;
let refuseWith: (() => Response) | undefined;
let server: Bun.Server<undefined>;
let kit: FeedKit;

const push = (token: string) => kit.feeds.push(token, 'Bearer theirs');
const verification = (state: string | undefined, claims = {}) =>
  mintEvent(
    kit.issuer,
    eventTypes.verification,
    { format: 'opaque', id: 'stream-1' },
    {
      event: state === undefined ? {} : { state },
      claims,
    },
  );
const isLost = () => kit.feeds.isLost(kit.issuer.url);

beforeEach(async () => {
  asked = [];
  refuseWith = undefined;
  answer = async (state) => void (await push(await verification(state)));
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const body: unknown = await request.json();
      if (!isJsonObject(body)) return new Response(null, { status: 400 });
      asked.push({ body, authorization: request.headers.get('authorization'), at: performance.now() });
      if (refuseWith !== undefined) return refuseWith();
      void answer(String(body.state));
      return new Response(null, { status: 204 });
    },
  });
  const url = `http://127.0.0.1:${server.port}/verify`;
  kit = await openKit(() => ({
    kind: 'push',
    token: new Secret('theirs'),
    verification: { url, token: new Secret('ours'), streamId: 'stream-1' },
  }));
});
afterEach(async () => {
  await kit[Symbol.asyncDispose]();
  await server.stop(true);
});

describe('a feed that is pushed', () => {
  test('is asked for signs of life, and alive as long as they come', async () => {
    await until(() => !isLost(), 'alive');
    await until(() => asked.length === 5, 'more of them');
    expect(isLost()).toBe(false);
    expect(asked[0]?.authorization).toBe('Bearer ours');
    expect(asked[0]?.body.stream_id).toBe('stream-1');
    expect(new Set(asked.map(({ body }) => body.state)).size).toBe(5);
    answer = async () => {};
    const tookMs = stopwatch();
    await until(isLost, 'lost');
    expect(tookMs() * pace).toBeLessThan(limits.feedSilenceMs + 4_000);
  });

  test('is not kept alive by what somebody recorded: a sign counts once, and only if it was asked for', async () => {
    let recorded = '';
    answer = async (state) => {
      recorded ||= await verification(state);
      await push(recorded);
    };
    await until(() => !isLost(), 'alive');
    await until(isLost, 'lost, though the same sign of life comes again and again');
    await push(await verification('a state of somebody’s own'));
    expect(isLost()).toBe(true);
    const minute = Math.floor(Date.now() / 1_000) - 60;
    await push(await verification(undefined, { iat: minute }));
    await push(
      await mintEvent(
        kit.issuer,
        eventTypes.sessionRevoked,
        { format: 'opaque', id: 's' },
        { claims: { iat: minute } },
      ),
    );
    expect(isLost()).toBe(true);
    expect(kit.denied.map(({ value }) => value)).toEqual(['s']);
  });

  test('shows its life with any fresh event, and with a sign that nobody asked for', async () => {
    answer = async () => {};
    await push(await mintEvent(kit.issuer, eventTypes.sessionRevoked, { format: 'opaque', id: 's' }));
    expect(isLost()).toBe(false);
    await until(isLost, 'lost');
    await push(await verification(undefined));
    expect(isLost()).toBe(false);
  });

  test('is lost at once when the sender says that it pauses, until it says that it goes on', async () => {
    await until(() => !isLost(), 'alive');
    const say = async (status: string) =>
      push(
        await mintEvent(
          kit.issuer,
          eventTypes.streamUpdated,
          { format: 'opaque', id: 'stream-1' },
          { event: { status } },
        ),
      );
    for (const status of ['paused', 'disabled']) {
      await say(status);
      expect(isLost()).toBe(true);
      await say('enabled');
      expect(isLost()).toBe(false);
    }
  });

  test('whose sender wants to be asked less often is obeyed', async () => {
    refuseWith = () => new Response(null, { status: 429, headers: { 'retry-after': '60' } });
    await until(() => kit.logged.some(({ event }) => event === 'feed.unverified'), 'a warning');
    const before = asked.length;
    await Bun.sleep(40_000 / pace);
    expect(asked.length).toBe(before);
    await until(() => asked.length > before, 'the next');
  });

  test('is lost from the moment when the deny-list cannot keep what it tells, until it can', async () => {
    await until(() => !isLost(), 'alive');
    const event = await mintEvent(kit.issuer, eventTypes.sessionRevoked, { format: 'opaque', id: 's' });
    kit.failWith('store_failed');
    expect(await push(event)).toMatchObject({ ok: false, error: { reason: 'not_stored' } });
    expect(isLost()).toBe(true);
    kit.failWith(undefined);
    expect(await push(event)).toEqual({ ok: true, value: undefined });
    expect(isLost()).toBe(false);
    expect(kit.denied.map(({ value }) => value)).toEqual(['s']);
  });

  test('of others is not touched by a stranger’s signs of life', async () => {
    answer = async () => {};
    const outcome = await kit.feeds.push(await verification(undefined), 'Bearer wrong');
    expect(outcome).toMatchObject({ ok: false, error: { reason: 'unauthenticated' } });
    expect(isLost()).toBe(true);
  });
});
