import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outbound } from '#outbound/outbound.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { implementations } from './implementations.ts';
import { okAnswer, startRawServer } from './raw-server.ts';
import { post } from './request.ts';

/** Every request says who asks, and every honest answer repeats it: an answer with another name is somebody else's. */
function ask(outbound: Outbound, url: string, who: string, timeoutMs = 10_000, signal?: AbortSignal) {
  return outbound.request(post(url, { body: JSON.stringify({ who }), timeoutMs, signal }));
}
const asker = (request: string): string => /"who":"([^"]*)"/.exec(request)?.[1] ?? 'nobody';
const answerTo = (who: string): string => okAnswer(JSON.stringify({ for: who }));
const poison = okAnswer('{"for":"somebody else"}');

describe.each(implementations)(
  'over $name the answer to one request never answers another',
  ({ createOutbound }) => {
    test('when a server answers after the deadline of the one who asked', async () => {
      await using server = await startRawServer((socket, request) => {
        const who = asker(request);
        setTimeout(() => socket.write(answerTo(who)), who.startsWith('late') ? 60 : 0);
      });
      const outbound = createOutbound({ maxConnections: 1 });
      for (let round = 0; round < 10; round++) {
        const late = await ask(outbound, server.url, `late ${round}`, 30);
        expect(late).toMatchObject({ ok: false, error: { reason: 'timeout' } });
        await Bun.sleep((round % 5) * 10);
        const next = await ask(outbound, server.url, `next ${round}`);
        expect(next).toMatchObject({ ok: true, value: { body: `{"for":"next ${round}"}` } });
      }
      await outbound.close();
    });

    test('when a server goes on with an answer whose asker has gone', async () => {
      await using server = await startRawServer((socket, request) => {
        const answer = answerTo(asker(request));
        socket.write(answer.slice(0, -5));
        setTimeout(() => socket.write(answer.slice(-5)), 20);
      });
      const outbound = createOutbound({ maxConnections: 1 });
      for (let round = 0; round < 10; round++) {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 10);
        const gone = await ask(outbound, server.url, `gone ${round}`, 2_000, stop.signal);
        expect(gone).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
        const next = await ask(outbound, server.url, `next ${round}`);
        expect(next).toMatchObject({ ok: true, value: { body: `{"for":"next ${round}"}` } });
      }
      await outbound.close();
    });

    test.each([0, 5, 20])('when a server sends a second answer %d ms after the first', async (delayMs) => {
      await using server = await startRawServer((socket, request) => {
        socket.write(answerTo(asker(request)));
        if (asker(request) === 'first') setTimeout(() => socket.write(poison), delayMs);
      });
      const outbound = createOutbound({ maxConnections: 1 });
      await ask(outbound, server.url, 'first');
      await Bun.sleep(delayMs + 30);
      const second = await ask(outbound, server.url, 'second');
      await outbound.close();
      expect(second).toMatchObject({ ok: true, value: { body: '{"for":"second"}' } });
      expect(server.connections()).toBe(2);
    });

    test('when late, doubled, cut and honest answers meet many askers at once', async () => {
      let count = 0;
      await using server = await startRawServer((socket, request) => {
        const answer = answerTo(asker(request));
        count += 1;
        if (count % 7 === 0) setTimeout(() => socket.write(answer), 40);
        else if (count % 11 === 0) socket.write(answer + poison);
        else if (count % 13 === 0) socket.end(answer.slice(0, -3));
        else if (count % 17 === 0) socket.resetAndDestroy();
        else setTimeout(() => socket.write(answer), count % 3);
      });
      const outbound = createOutbound({ maxConnections: 4 });
      let good = 0;
      const worker = async (name: number): Promise<void> => {
        // Deadlines pass on a busy machine: until enough were answered in time for the test to mean something.
        for (let round = 0; round < 50 || good <= 200; round++) {
          const who = `${name}/${round}`;
          const answer = await ask(outbound, server.url, who, 25);
          if (!answer.ok) continue;
          good += 1;
          expect(answer.value.body).toBe(`{"for":"${who}"}`);
        }
      };
      await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(worker));
      await outbound.close();
    });

    test('because no second request is on a connection before the first is answered', async () => {
      const open = new Map<Socket, number>();
      let most = 0;
      await using server = await startRawServer((socket, request) => {
        const underWay = (open.get(socket) ?? 0) + 1;
        open.set(socket, underWay);
        most = Math.max(most, underWay);
        setTimeout(() => {
          open.set(socket, underWay - 1);
          socket.write(answerTo(asker(request)));
        }, 5);
      });
      const outbound = createOutbound({ maxConnections: 2 });
      await Promise.all(Array.from({ length: 20 }, (_, index) => ask(outbound, server.url, `${index}`)));
      await outbound.close();
      expect(most).toBe(1);
      expect(server.connections()).toBe(2);
    });
  },
);

// undici waits for an immediate, which under Bun comes before the poll and not after it.
test('over our own sockets what a server sent before a request was made never answers it', async () => {
  await using server = await startRawServer((socket, request) => {
    socket.write(okAnswer(asker(request)));
    setTimeout(() => socket.write(okAnswer('poison')), 10);
  });
  const script = join(import.meta.dirname, 'busy-asker-child.ts');
  await using busy = Bun.spawn([process.execPath, script, server.url], { stdout: 'pipe' });
  const got: unknown = JSON.parse(await new Response(busy.stdout).text());
  expect(got).toEqual(Array(10).fill(['a', 'b', 'c', 'd']));
});

test('a connection whose server answered before it had read the request is not used again', async () => {
  await using server = await startRawServer(
    () => {},
    (socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write(answerTo('early'));
      });
    },
  );
  const outbound = createSocketOutbound({ maxConnections: 1 });
  const large = post(server.url, { body: 'x'.repeat(30_000_000), timeoutMs: 500 });
  const early = await outbound.request(large);
  if (early.ok) expect(early.value.body).toBe('{"for":"early"}');
  await outbound.request(post(server.url));
  await outbound.close();
  expect(server.connections()).toBe(2);
});
