import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '#kernel/limits.ts';
import { Secret } from '#kernel/secret.ts';
import { eventTypes, mintEvent } from '../../support/event-tokens.ts';
import { type FeedKit, openKit, pace, until } from './feed-kit.ts';
import { createTransmitter, type Transmitter } from './transmitter.ts';

let transmitter: Transmitter;
let kit: FeedKit;
beforeEach(async () => {
  transmitter = createTransmitter();
  kit = await openKit(() => ({ kind: 'poll', url: transmitter.url, token: new Secret('our-token') }));
});
afterEach(async () => {
  await kit[Symbol.asyncDispose]();
  await transmitter[Symbol.asyncDispose]();
});

const ended = (session: string) =>
  mintEvent(kit.issuer, eventTypes.sessionRevoked, { format: 'opaque', id: session });
const values = () => kit.denied.map(({ value }) => value);
const isLost = () => kit.feeds.isLost(kit.issuer.url);

describe('events that are collected', () => {
  test('are revoked while the request still waits for them, and acknowledged after that', async () => {
    await until(() => transmitter.requests.length === 2, 'a request that waits');
    expect(transmitter.requests.map(({ body }) => body.returnImmediately)).toEqual([true, false]);
    const event = await ended('s1');
    const startedMs = performance.now();
    transmitter.offer('1', event);
    await until(() => values().length === 1, 'the revocation');
    process.stdout.write(`offered -> revoked: ${(performance.now() - startedMs).toFixed(1)} ms\n`);
    await until(() => transmitter.waiting.size === 0, 'the acknowledgement');
    expect(values()).toEqual(['s1']);
    expect(transmitter.requests.at(-1)?.body).toMatchObject({
      ack: ['1'],
      setErrs: {},
      maxEvents: limits.feedBatch,
    });
    expect(transmitter.requests[0]?.authorization).toBe('Bearer our-token');
  });

  test('come in batches, all of them', async () => {
    for (let index = 0; index < 250; index += 1) transmitter.offer(`${index}`, await ended(`s${index}`));
    await until(() => values().length === 250 && transmitter.waiting.size === 0, 'all of them');
    expect(new Set(values()).size).toBe(250);
  });

  test('that cannot be used are named with the reason, and do not come again', async () => {
    transmitter.offer('bad', 'nonsense');
    transmitter.offer(
      'old',
      await mintEvent(kit.issuer, eventTypes.sessionRevoked, {}, { claims: { iat: 1 } }),
    );
    transmitter.offer(
      'foreign',
      await mintEvent(kit.issuer, eventTypes.sessionRevoked, {
        format: 'iss_sub',
        iss: 'https://victim.example',
        sub: 'ada',
      }),
    );
    transmitter.offer('good', await ended('s1'));
    await until(() => transmitter.waiting.size === 0, 'all of them judged');
    expect(values()).toEqual(['s1']);
    const description = 'The security event token was not accepted.';
    expect(transmitter.errors).toEqual({
      bad: { err: 'invalid_request', description },
      old: { err: 'invalid_request', description },
      foreign: { err: 'access_denied', description },
    });
  });

  test('that cannot be kept are not acknowledged, make the feed lost, and come again', async () => {
    await until(() => !isLost(), 'alive');
    kit.failWith('list_full');
    transmitter.offer('1', await ended('s1'));
    await until(isLost, 'lost');
    expect(transmitter.waiting.size).toBe(1);
    kit.failWith(undefined);
    await until(() => transmitter.waiting.size === 0, 'the acknowledgement');
    expect(values()).toEqual(['s1']);
    expect(isLost()).toBe(false);
  });
});

describe('a sender', () => {
  test('that sends the same again and again is not asked all the time', async () => {
    transmitter.forgets(false);
    transmitter.offer('1', await ended('s1'));
    await until(() => values().length === 1, 'the revocation');
    const before = transmitter.requests.length;
    await Bun.sleep(10_000 / pace);
    const perSecond = (transmitter.requests.length - before) / 10;
    expect(perSecond).toBeLessThan(2.5);
    expect(values()).toEqual(['s1']);
  });

  test.each([
    ['a refusal', () => new Response(null, { status: 403 })],
    ['no JSON', () => new Response('<html>')],
    ['no sets', () => Response.json({ events: {} })],
    ['more than may be', () => new Response('x'.repeat(3 * 1024 * 1024))],
    ['a way to somewhere else', () => Response.redirect('http://127.0.0.1:1/', 307)],
  ])(
    'that answers with %s is asked less and less, counts as lost, and is heard again',
    async (_what, answer) => {
      transmitter.answerWith(answer);
      await until(isLost, 'lost');
      await until(
        () => kit.logged.filter(({ event }) => event === 'feed.unreachable').length >= 4,
        'warnings',
      );
      transmitter.answerWith(undefined);
      transmitter.offer('1', await ended('s1'));
      await until(() => values().length === 1, 'the revocation');
      expect(isLost()).toBe(false);
    },
  );

  test('that hangs is asked for an answer at once, and is lost when it gives none', async () => {
    await until(() => !isLost(), 'alive');
    const silent = Promise.withResolvers<Response>();
    transmitter.answerWith(() => silent.promise);
    await until(isLost, 'lost');
    silent.resolve(new Response(null, { status: 503 }));
    transmitter.answerWith(undefined);
    await until(() => !isLost(), 'alive');
  }, 30_000);
});
