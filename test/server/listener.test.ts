import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLimiter } from '#cluster/limiter.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { createApp } from '#server/app.ts';
import { listen } from '#server/listener.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

let running: RunningGateway;
let origin = '';
let authorization = '';
beforeAll(async () => {
  running = await runGateway({ config: { limits: { request_size: '64KB' } } });
  origin = running.listen();
  authorization = `Bearer ${await running.issuer.mint({})}`;
});
afterAll(() => running.close());

const post = (body: BodyInit) =>
  fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body,
  });

test('a body that is too large is refused in the gateway’s own words, declared or not (R2)', async () => {
  const declared = await post('x'.repeat(65 * 1024));
  expect(declared.status).toBe(413);
  expect(await declared.json()).toMatchObject({
    error: { code: -32600, message: 'The request body is too large' },
  });
  const chunk = new Uint8Array(16 * 1024).fill(120);
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      if (sent > 8 * 1024 * 1024) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const streamed = await post(endless).catch(() => undefined);
  expect(streamed?.status ?? 413).toBe(413);
});

test('a request without a token is refused before its body is read', async () => {
  let pulled = 0;
  const slow = new ReadableStream<Uint8Array>({
    async pull(controller) {
      pulled += 1;
      await Bun.sleep(50);
      if (pulled > 40) controller.close();
      else controller.enqueue(new Uint8Array([32]));
    },
  });
  const elapsedMs = stopwatch();
  const response = await fetch(`${origin}/mcp`, { method: 'POST', body: slow });
  expect(response.status).toBe(401);
  expect(elapsedMs()).toBeLessThan(1_500);
});

test('a fault is answered with an id and nothing else, and the log has the rest', async () => {
  const logged: string[] = [];
  const app = createApp({
    routes: [{ path: '/broken', handle: () => Promise.reject(new Error('secret detail')) }],
    doors: () => ({
      isOurHost: () => true,
      isAllowedOrigin: () => true,
      clientAddress: () => undefined,
      areHeadersAllowed: () => true,
    }),
    refusals: createLimiter(systemClock),
    log: { ...silentLog, error: (event, fields) => void logged.push(JSON.stringify({ event, ...fields })) },
  });
  const listener = listen(app, { host: '127.0.0.1', port: 0 }, 1_024);
  const response = await fetch(`http://127.0.0.1:${listener.port}/broken`);
  const body: { error: string; id: string } = await response.json();
  expect([response.status, body]).toEqual([500, { error: 'internal_error', id: expect.any(String) }]);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('secret detail');
  expect(logged[0]).toContain(body.id);
  await listener.close();
});

test('a taken port is an error of the start', () => {
  const port = Number(new URL(origin).port);
  expect(() => listen(running.gateway, { host: '127.0.0.1', port }, 1_024)).toThrow();
});
