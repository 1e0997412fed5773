import { describe, expect, test } from 'vitest';
import { breakerDefaults } from '#backends/breaker.ts';
import { createHttpBackend } from '#backends/http-backend.ts';
import { propagate } from '#identity/propagate.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { systemClock } from '#kernel/clock.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { okAnswer, startRawServer } from '../outbound/raw-server.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { backendId } from './backend-id.ts';
import { connect, context, search } from './setup.ts';

const reasonOf = (made: Awaited<ReturnType<ReturnType<typeof connect>['backend']['call']>>) =>
  made.outcome.ok ? 'ok' : made.outcome.error.reason;

describe('a backend that hangs', () => {
  test('with 256 calls on it leaves another backend and its own lists as quick as before', async () => {
    await using hanging = await startRawServer((socket, request) => {
      if (request.includes('list_'))
        socket.write(okAnswer('{"tools":[],"prompts":[],"resources":[],"resourceTemplates":[]}'));
    });
    await using healthy = createCapturingBackend();
    const outbound = createOutbound();
    const identity = createIdentityResolver({
      propagate: propagate({
        firstParty: () => ({ allowHttp: false, audience: undefined, tokenAudience: 'urn:docs' }),
        isForGateway: (_issuer, audiences) => audiences.includes('https://gateway.example/mcp'),
      }),
    });
    const make = (id: string, url: string) =>
      createHttpBackend(
        {
          id: backendId(id),
          url,
          technicalToken: undefined,
          mode: 'propagate',
          timeoutMs: 10_000,
          maxResultBytes: 10_000,
          maxConnections: 256,
          tickets: false,
          userAgent: 'cortex-gateway/0.0.0',
        },
        { outbound, identity, clock: systemClock, random: () => 0 },
      );
    const slow = make('slow', hanging.url);
    const quick = make('quick', healthy.url);
    const stop = new AbortController();
    const hung = Array.from({ length: 300 }, () => slow.call(search(), context({ signal: stop.signal })));
    // One person's calls never take the last eighth of the 256 places.
    while (hanging.connections() < 224) await Bun.sleep(10);
    expect(slow.health()).toEqual({ breaker: 'closed', inFlight: 224 });

    const latencies: number[] = [];
    for (let i = 0; i < 100; i++) {
      const started = performance.now();
      expect(reasonOf(await quick.call(search(), context()))).toBe('ok');
      latencies.push(performance.now() - started);
    }
    latencies.sort((a, b) => a - b);
    expect(latencies[95]).toBeLessThan(100);
    expect((await slow.discover(undefined, stop.signal)).ok).toBe(true);
    expect(hanging.connections()).toBeLessThanOrEqual(256 + 8);

    stop.abort();
    expect(new Set((await Promise.all(hung)).map(reasonOf))).toEqual(new Set(['cancelled']));
    expect(slow.health().inFlight).toBe(0);
    await outbound.close();
  });

  test('refuses the next call as busy when its connections and its queue are full', async () => {
    await using hanging = await startRawServer(() => {});
    await using connected = connect(hanging.url, { maxConnections: 2, maxQueued: 1, timeoutMs: 200 });
    // The third waits for a place, and gives up before the first two do.
    const calls = [200, 200, 100, 200].map((timeoutMs) =>
      connected.backend.call(search(), context({ timeoutMs })),
    );
    expect((await Promise.all(calls)).map(reasonOf)).toEqual(['timeout', 'timeout', 'busy', 'busy']);
    expect(hanging.received().split('POST / HTTP').length - 1).toBe(2);
  });
});

describe('the breaker of a backend', () => {
  const quickBreaker = { ...breakerDefaults, pauseMs: 100 };

  test('opens after five failures, sends nothing more, and says when to come back', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('<html>')));
    await using connected = connect(server.url);
    for (let i = 0; i < 5; i++)
      expect(reasonOf(await connected.backend.call(search(), context()))).toBe('not_json');
    const before = server.received().length;
    const made = await connected.backend.call(search(), context());
    expect(made.outcome).toMatchObject({
      ok: false,
      error: { reason: 'breaker_open', retryAfterSeconds: 5 },
    });
    expect(server.received().length).toBe(before);
    expect(connected.backend.health().breaker).toBe('open');
  });

  test('lets one probe through after the pause, and closes with its success', async () => {
    let isBack = false;
    let probes = 0;
    await using server = await startRawServer((socket) => {
      if (isBack) probes++;
      setTimeout(() => socket.write(okAnswer(isBack ? '{}' : '<html>')), isBack ? 50 : 0);
    });
    await using connected = connect(server.url, { breaker: quickBreaker });
    for (let i = 0; i < 5; i++) await connected.backend.call(search(), context());
    isBack = true;
    await Bun.sleep(120);
    expect(connected.backend.health().breaker).toBe('half_open');
    const made = await Promise.all(
      Array.from({ length: 5 }, () => connected.backend.call(search(), context())),
    );
    expect(made.map(reasonOf).sort()).toEqual([...Array.from({ length: 4 }, () => 'breaker_open'), 'ok']);
    expect(probes).toBe(1);
    expect(connected.backend.health().breaker).toBe('closed');
  });

  test.each([
    ['business errors', 'HTTP/1.1 500 X\r\nContent-Length: 13\r\n\r\n{"error":"x"}'],
    ['refusals', 'HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n'],
    ['refused tokens', 'HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n'],
    ['slow-downs', 'HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n'],
  ])('one user’s %s do not close a backend for all', async (_title, answer) => {
    await using server = await startRawServer((socket) => socket.write(answer));
    await using connected = connect(server.url);
    for (let i = 0; i < 25; i++) await connected.backend.call(search(), context());
    expect(connected.backend.health().breaker).toBe('closed');
  });

  test('a caller who asks for tiny deadlines does not close a backend for all', async () => {
    await using server = await startRawServer((socket) => {
      setTimeout(() => socket.write(okAnswer('{}')), 60);
    });
    await using connected = connect(server.url);
    for (let i = 0; i < 8; i++) {
      expect(reasonOf(await connected.backend.call(search(), context({ timeoutMs: 5 })))).toBe('timeout');
    }
    expect(connected.backend.health().breaker).toBe('closed');
    expect(reasonOf(await connected.backend.call(search(), context()))).toBe('ok');
  });

  test('a caller who cancels again and again does not either', async () => {
    await using server = await startRawServer(() => {});
    await using connected = connect(server.url);
    for (let i = 0; i < 8; i++) {
      await connected.backend.call(search(), context({ signal: AbortSignal.timeout(5) }));
    }
    expect(connected.backend.health().breaker).toBe('closed');
  });
});

test('a closed backend refuses calls', async () => {
  await using server = createCapturingBackend();
  await using connected = connect(server.url);
  await connected.backend.close();
  expect(reasonOf(await connected.backend.call(search(), context()))).toBe('cancelled');
  expect(server.calls).toEqual([]);
});
