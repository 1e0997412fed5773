import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '#kernel/limits.ts';
import { Secret } from '#kernel/secret.ts';
import { eventTypes, mintEvent } from '../../support/event-tokens.ts';
import { createIssuer } from '../../support/issuer.ts';
import { stopwatch } from '../../support/stopwatch.ts';
import { createEventStreamer, type EventStreamer } from './event-streamer.ts';
import { type FeedKit, openKit, pace, until } from './feed-kit.ts';

let streamer: EventStreamer;
let kit: FeedKit;
beforeEach(async () => {
  streamer = createEventStreamer();
  kit = await openKit(() => ({
    url: streamer.url,
    client: { id: 'the gateway', secret: new Secret('s:e') },
  }));
});
afterEach(async () => {
  await kit[Symbol.asyncDispose]();
  await streamer[Symbol.asyncDispose]();
});

const ended = (session: string) =>
  mintEvent(kit.issuer, eventTypes.sessionRevoked, { format: 'opaque', id: session });
const values = () => kit.denied.map(({ value }) => value);
const isLost = () => kit.feeds.isLost(kit.issuer.url);
const wait = (ms: number) => Bun.sleep(ms / pace);
const loggedReasons = () =>
  kit.logged.filter(({ event }) => event === 'feed.event_refused').map(({ reason }) => reason);

describe('the stream of an issuer', () => {
  test('is read as the client that the issuer knows, and what it tells is revoked for that issuer', async () => {
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'the first event');
    streamer.publish(await ended('s2'));
    await until(() => values().length === 2, 'the second event');
    const { url } = kit.issuer;
    expect(kit.denied).toMatchObject([
      { issuer: url, kind: 'session', value: 's1' },
      { issuer: url, kind: 'session', value: 's2' },
    ]);
    expect(streamer.connections[0]?.authorization).toBe(`Basic ${btoa('the%20gateway:s%3Ae')}`);
  });

  test('is lost until the first sign of life, alive with it, and lost again after fifteen seconds of silence', async () => {
    expect(isLost()).toBe(true);
    const startedMs = performance.now();
    await until(() => !isLost(), 'alive');
    const tookMs = stopwatch();
    await until(isLost, 'lost');
    // The sign of life may be older than our knowledge of it.
    expect((performance.now() - startedMs) * pace).toBeGreaterThan(limits.feedSilenceMs - 2_000);
    expect(tookMs() * pace).toBeLessThan(limits.feedSilenceMs + 4_000);
  });

  test('that beats stays alive', async () => {
    await until(() => !isLost(), 'alive');
    for (let beats = 0; beats < 8; beats += 1) {
      await wait(5_000);
      expect(isLost()).toBe(false);
      streamer.write(': keep-alive\n\n');
    }
    expect(streamer.connections).toHaveLength(1);
  });

  test('that hangs is left, and read anew from where it was', async () => {
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'the first event');
    await until(() => streamer.connections.length === 2, 'a second connection');
    await until(() => streamer.open === 1, 'the end of the first');
    streamer.publish(await ended('s2'));
    await until(() => values().length === 2, 'the second event');
    expect(streamer.connections[1]?.lastEventId).toBe('1');
    expect(values()).toEqual(['s1', 's2']);
  });

  test('whose ids no header can hold is taken up again behind the last one that can be told', async () => {
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'the first event');
    const odd = ['é', 'x'.repeat(600), 'a\u0007b'];
    for (const [index, id] of odd.entries())
      streamer.write(`id: ${id}\ndata: ${await ended(`odd${index}`)}\n\n`);
    await until(() => values().length === 4, 'the odd events');
    streamer.cut();
    await until(() => streamer.connections.length === 2, 'a second connection');
    expect(streamer.connections[1]?.lastEventId).toBe('1');
  });

  test('that dies is read anew, with what was told in the meantime', async () => {
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'the first event');
    streamer.cut();
    streamer.publish(await ended('s2'), await ended('s3'));
    await until(() => values().length === 3, 'what was missed');
    expect(values()).toEqual(['s1', 's2', 's3']);
    await until(() => !isLost(), 'alive');
  });

  test('that is gone is asked for again with growing pauses, never longer than ten seconds', async () => {
    await until(() => streamer.open === 1, 'a connection');
    streamer.answerWith(() => new Response('no', { status: 503 }));
    streamer.cut();
    await until(() => streamer.connections.length === 10, 'ten attempts');
    const times = streamer.connections.map(({ at }) => at * pace);
    const pauses = times.slice(1).map((at, index) => Math.round(at - (times[index] ?? 0)));
    expect(pauses[1]).toBeGreaterThan(400);
    expect(pauses[3]).toBeGreaterThan(1_500);
    expect(Math.max(...pauses.slice(7))).toBeGreaterThan(9_000);
    expect(isLost()).toBe(true);
    expect(kit.logged.map(({ event }) => event)).toContain('feed.unreachable');
    streamer.answerWith(undefined);
    await until(() => !isLost(), 'alive again');
  });

  test.each([
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['a refusal', () => new Response(null, { status: 401 })],
    ['a way to somewhere else', () => Response.redirect('http://127.0.0.1:1/', 302)],
    [
      'compressed bytes',
      () => new Response('x', { headers: { 'content-type': 'text/event-stream', 'content-encoding': 'br' } }),
    ],
  ])('that answers with %s is no stream, and lost', async (_what, answer) => {
    streamer.answerWith(answer);
    streamer.cut();
    await until(() => kit.logged.filter(({ event }) => event === 'feed.unreachable').length >= 3, 'warnings');
    await until(isLost, 'lost');
  });
});

describe('a stream that was just opened', () => {
  test('counts as lost until all that it told of the past is revoked', async () => {
    const past = await Promise.all(Array.from({ length: 2_000 }, (_, index) => ended(`s${index}`)));
    await until(() => !isLost(), 'alive');
    streamer.cut();
    await until(isLost, 'lost');
    streamer.publish(...past);
    await until(() => !isLost(), 'alive again');
    expect(values()).toHaveLength(2_000);
  }, 30_000);
});

describe('what a stream brings', () => {
  test('is worked off whatever its events are like: a bad one is passed, with its reason in the log', async () => {
    await using stranger = await createIssuer({ audience: 'x', algorithm: 'ES256' });
    const subject = { format: 'iss_sub', iss: kit.issuer.url, sub: 'ada' };
    streamer.publish(
      'nonsense',
      await mintEvent(stranger, eventTypes.sessionRevoked, subject),
      await mintEvent(stranger, eventTypes.sessionRevoked, subject, { claims: { iss: kit.issuer.url } }),
      await mintEvent(kit.issuer, eventTypes.sessionRevoked, { ...subject, iss: 'https://victim.example' }),
      await mintEvent(kit.issuer, eventTypes.sessionRevoked, subject, {
        claims: { aud: 'https://other.example' },
      }),
      `${'x'.repeat(20_000)}`,
      await ended('s1'),
    );
    await until(() => values().length === 1, 'the good one');
    expect(loggedReasons()).toEqual([
      'malformed',
      'issuer_refused',
      'signature_invalid',
      'subject_foreign',
      'audience_refused',
      'too_large',
    ]);
    streamer.cut();
    await until(() => streamer.connections.length === 2, 'a second connection');
    expect(streamer.connections[1]?.lastEventId).toBe('7');
    expect(values()).toEqual(['s1']);
  });

  test('is told twice and counts once', async () => {
    const event = await ended('s1');
    streamer.publish(event, event, await ended('s2'));
    await until(() => values().includes('s2'), 'the second');
    streamer.publish(event, await ended('s3'));
    await until(() => values().includes('s3'), 'the third');
    expect(values().filter((value) => value === 's1').length).toBeLessThanOrEqual(2);
    expect(kit.feeds.reports()).toMatchObject([{ received: 5, refused: 0 }]);
  });

  test('that the deny-list cannot keep makes the feed lost at once, and is asked for again until it is kept', async () => {
    await until(() => !isLost(), 'alive');
    kit.failWith('store_failed');
    streamer.publish(await ended('s1'));
    await until(isLost, 'lost');
    expect(kit.logged.map(({ event }) => event)).toContain('feed.not_revoked');
    kit.failWith(undefined);
    await until(() => values().length > 0, 'kept in the end');
    expect(values()).toEqual(['s1']);
    await until(() => !isLost(), 'alive again');
    expect(streamer.connections.at(-1)?.lastEventId).toBeNull();
  });

  test('with a key that is newer than our look at the keys is waited for, not lost', async () => {
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'the first event');
    await kit.issuer.rotate();
    streamer.publish(await ended('s2'));
    await until(() => values().length === 2, 'the event of the new key');
    await kit.issuer.rotate({ drop: true });
    streamer.publish(await ended('s3'));
    await until(() => values().length === 3, 'the event of the newest key');
    expect(loggedReasons()).toEqual([]);
  });

  test('while the keys cannot be had is kept for later, and the feed counts as lost', async () => {
    kit.issuer.goDown();
    streamer.publish(await ended('s1'));
    await until(() => loggedReasons().includes('keys_unavailable'), 'the want of keys');
    expect(isLost()).toBe(true);
    kit.issuer.comeBack();
    await until(() => values().length === 1, 'the event');
    await until(() => !isLost(), 'alive');
  });

  test('in a flood is worked off whole and in order, with no more than a bounded part in memory', async () => {
    const sessions = await Promise.all(Array.from({ length: 200 }, (_, index) => ended(`s${index}`)));
    const count = limits.maxQueuedEvents + 1_000;
    const flood = Array.from({ length: count }, (_, index) => sessions[index % sessions.length] ?? '');
    const startedMs = performance.now();
    streamer.publish(...flood, await ended('the last'));
    await until(() => values().includes('the last'), 'the last', 50);
    const tookMs = performance.now() - startedMs;
    process.stdout.write(`flood: ${count} events in ${Math.round(tookMs)} ms\n`);
    expect(kit.feeds.reports()[0]?.received).toBe(count + 1);
    expect(new Set(values())).toEqual(
      new Set([...sessions.keys()].map((index) => `s${index}`).concat('the last')),
    );
    // It was left when its queue was full, and taken up again behind what was worked off.
    expect(streamer.connections.length).toBeGreaterThan(1);
    expect(Number(streamer.connections.at(-1)?.lastEventId)).toBeGreaterThanOrEqual(limits.maxQueuedEvents);
  }, 60_000);

  test('as one line without an end is cut off', async () => {
    await until(() => streamer.open === 1, 'a connection');
    const piece = 'x'.repeat(1024 * 1024);
    streamer.write('data: ');
    for (let size = 0; size <= limits.maxFeedStreamBytes; size += piece.length) streamer.write(piece);
    await until(() => streamer.connections.length === 2, 'another connection');
    streamer.publish(await ended('s1'));
    await until(() => values().length === 1, 'an event after it');
  });
});

describe('closing', () => {
  test('ends the connection and reads nothing more', async () => {
    await until(() => streamer.open === 1, 'a connection');
    await kit.feeds.close();
    await until(() => streamer.open === 0, 'its end');
    await wait(2_000);
    expect(streamer.connections).toHaveLength(1);
  });
});
