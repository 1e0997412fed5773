import { expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startTokenProxy } from './token-proxy.ts';

test('the proxy adds the token and keeps Host, Origin, method, query and body', async () => {
  const seen: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    readonly body: string;
  }[] = [];
  using target = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: await request.text(),
      });
      return new Response('refused', { status: 403, headers: { 'x-reason': 'origin' } });
    },
  });
  await using proxy = startTokenProxy({
    port: freePort(),
    target: `http://127.0.0.1:${target.port}`,
    token: () => 'abc',
  });

  const answer = await fetch(`${proxy.url}/mcp?mode=search`, {
    method: 'POST',
    headers: { Host: 'evil.example.com', Origin: 'http://evil.example.com', 'Mcp-Method': 'tools/list' },
    body: '{"a":1}',
  });

  expect(answer.status).toBe(403);
  expect(answer.headers.get('x-reason')).toBe('origin');
  expect(await answer.text()).toBe('refused');
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: 'POST', path: '/mcp?mode=search', body: '{"a":1}' });
  expect(seen[0]?.headers.get('authorization')).toBe('Bearer abc');
  expect(seen[0]?.headers.get('host')).toBe('evil.example.com');
  expect(seen[0]?.headers.get('origin')).toBe('http://evil.example.com');
  expect(seen[0]?.headers.get('mcp-method')).toBe('tools/list');
});

test('the proxy hands on each event as it comes, and the disconnect', async () => {
  const closed = Promise.withResolvers<void>();
  const next = Promise.withResolvers<void>();
  using target = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch(request) {
      request.signal.addEventListener('abort', () => closed.resolve());
      const body = new ReadableStream<string>({
        async start(controller) {
          controller.enqueue('data: 1\n\n');
          await next.promise;
          controller.enqueue('data: 2\n\n');
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  await using proxy = startTokenProxy({
    port: freePort(),
    target: `http://127.0.0.1:${target.port}`,
    token: () => 'abc',
  });

  const answer = await fetch(`${proxy.url}/mcp`, { method: 'POST', body: '{}' });
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  expect(decoder.decode((await reader?.read())?.value)).toBe('data: 1\n\n');
  next.resolve();
  expect(decoder.decode((await reader?.read())?.value)).toBe('data: 2\n\n');
  await reader?.cancel();
  await closed.promise;
});
