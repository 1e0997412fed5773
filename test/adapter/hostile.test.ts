import { describe, expect, test } from 'vitest';
import { rpcErrors } from '#wire/rpc-errors.ts';
import {
  createRawPeer,
  error,
  event,
  legacy,
  modern,
  type PeerAnswering,
  type PeerRequest,
  result,
  stream,
  withoutStream,
} from './raw-peer.ts';
import { answering, bob, connect, context, tool, until } from './setup.ts';

const fine = { content: [{ type: 'text', text: 'fine' }] };
const onCall = (answer: PeerAnswering): PeerAnswering =>
  modern((request) =>
    request.method === 'tools/call' && request.params.name === 'bad'
      ? answer(request)
      : result(request, fine),
  );

async function bad(url: string, changes = {}) {
  await using connected = connect(url, changes);
  const made = await connected.backend.call(tool('bad'), context());
  // Whatever one call met, the next one of another user goes through.
  const other = await connected.backend.call(tool('good'), context({ principal: bob }));
  expect(other.outcome.ok).toBe(true);
  return made.outcome;
}

const endless = (chunk: string): Response =>
  new Response(
    new ReadableStream({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode(chunk));
        await Bun.sleep(0);
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );

describe('a hostile or broken server gives a clear failure, and others are untouched', () => {
  const cases: readonly (readonly [string, string, PeerAnswering])[] = [
    [
      'a huge result',
      'too_large',
      (request) => result(request, { content: [{ type: 'text', text: 'x'.repeat(2_000_000) }] }),
    ],
    ['an endless stream of comments', 'too_large', () => endless(`: ${'x'.repeat(60_000)}\n\n`)],
    ['an endless line', 'too_large', () => endless('x'.repeat(60_000))],
    [
      'a flood of notifications',
      'too_large',
      () =>
        endless(
          event({ method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(50_000) } }),
        ),
    ],
    ['an event that is no JSON', 'not_json', () => stream(['data: {"jsonrpc":\n\n'], 'open')],
    [
      'a body that is no JSON',
      'not_json',
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    ],
    ['an empty body', 'not_json', () => new Response('')],
    ['a 202 in place of an answer', 'failed', () => new Response(null, { status: 202 })],
    [
      'JSON nested without end',
      'not_json',
      () => new Response(`{"jsonrpc":"2.0","id":1,"result":${'['.repeat(100_000)}`),
    ],
    ['a response to another request', 'not_json', (request) => result({ ...request, id: 999_999 }, fine)],
    [
      'a response with the id as a text',
      'not_json',
      (request) => result({ ...request, id: String(request.id) }, fine),
    ],
    [
      'a stream of responses to others',
      'unreachable',
      () => stream([event({ id: 4711, result: fine }), event({ id: 'x', result: fine })]),
    ],
    [
      'a result that is no object',
      'not_json',
      (request) => Response.json({ jsonrpc: '2.0', id: request.id, result: [] }),
    ],
    ['a result without content', 'not_json', (request) => result(request, { resultType: 'complete' })],
    [
      'a kind of result that nobody knows (R27)',
      'business_error',
      (request) => result(request, { resultType: 'task', taskId: '1' }),
    ],
    [
      'a stream that ends before the result',
      'unreachable',
      () => stream([event({ method: 'notifications/message', params: { level: 'info', data: 1 } })]),
    ],
    ['a head that never comes', 'timeout', () => new Promise<Response>(() => {})],
    ['a body that never ends', 'timeout', () => stream([': begun\n\n'], 'open')],
    ['an error of its own', 'business_error', (request) => error(request, rpcErrors.internalError, 'boom')],
    ['500', 'failed', () => new Response('stack trace', { status: 500 })],
    ['bytes that are no UTF-8', 'not_json', () => new Response(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))],
  ];
  test.each(cases)('%s: %s', async (_name, reason, answer) => {
    await using peer = createRawPeer(onCall(answer));
    expect(await bad(peer.url, { timeoutMs: 1_000 })).toMatchObject({ error: { reason } });
  });

  const hopCodes = [
    rpcErrors.headerMismatch,
    rpcErrors.missingClientCapability,
    rpcErrors.unsupportedProtocolVersion,
  ];
  test.each(hopCodes)('an error between the server and us is not passed on (%d, R30)', async (code) => {
    await using peer = createRawPeer(
      onCall((request) => error(request, code, `secret ${code}`, 400, { supported: ['2026-07-28'] })),
    );
    const outcome = await bad(peer.url);
    expect(outcome).toMatchObject({ error: { reason: 'business_error' } });
    expect(JSON.stringify(outcome)).not.toContain(String(code));
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  test('the first of several responses counts', async () => {
    await using peer = createRawPeer(
      onCall((request) =>
        stream([event({ id: request.id, result: fine }), event({ id: request.id, result: { content: [] } })]),
      ),
    );
    expect(await bad(peer.url)).toMatchObject({ value: { text: JSON.stringify(fine) } });
  });

  test('a connection that dies in the middle of a call is no empty success (R25)', async () => {
    const server = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket, chunk) {
          const id = /"id":(\d+)/.exec(chunk.toString())?.[1];
          const discovered = `{"jsonrpc":"2.0","id":${id},"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}`;
          const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ';
          if (chunk.toString().includes('server/discover'))
            socket.write(`${head}${discovered.length}\r\n\r\n${discovered}`);
          else socket.end(`${head}5000\r\n\r\n{"jsonrpc":"2.0","id":${id},"result":{"content":[]`);
        },
      },
    });
    await using connected = connect(`http://127.0.0.1:${server.port}/mcp`);
    const { outcome } = await connected.backend.call(tool('bad'), context());
    expect(outcome).toMatchObject({ error: { reason: 'unreachable' } });
    server.stop(true);
  });

  test('a server that is gone and comes back is called again', async () => {
    const first = createRawPeer(modern((request) => result(request, fine)));
    const port = Number(new URL(first.url).port);
    await using connected = connect(first.url);
    expect((await connected.backend.call(tool('good'), context())).outcome.ok).toBe(true);
    await first[Symbol.asyncDispose]();
    expect((await connected.backend.call(tool('good'), context())).outcome).toMatchObject({
      error: { reason: 'unreachable' },
    });
    await using again = createRawPeer(
      modern((request) => result(request, fine)),
      port,
    );
    expect((await connected.backend.call(tool('good'), context())).outcome.ok).toBe(true);
    expect(again.of('tools/call')).toHaveLength(1);
  });

  test('one that keeps failing gets a pause, and a slow one holds up only its own callers', async () => {
    await using peer = createRawPeer(onCall(() => new Response(null, { status: 500 })));
    await using connected = connect(peer.url);
    const reasons: string[] = [];
    for (let call = 0; call < 7; call++) {
      const { outcome } = await connected.backend.call(tool('bad'), context());
      reasons.push(outcome.ok ? 'ok' : outcome.error.reason);
    }
    expect(reasons).toEqual([
      'failed',
      'failed',
      'failed',
      'failed',
      'failed',
      'breaker_open',
      'breaker_open',
    ]);
  });
});

describe('questions that a server may not ask', () => {
  const question = (request: PeerRequest, method: string, params: object) =>
    stream([event({ id: 'q', method, params }), event({ id: request.id, result: fine })]);
  const posted = (requests: readonly PeerRequest[]) =>
    requests.filter(({ method, body }) => method === '' && body !== '').map(({ body }) => JSON.parse(body));
  const accepted: PeerAnswering = (request) =>
    request.method === '' ? new Response(null, { status: 202 }) : result(request, fine);

  const forbidden: readonly (readonly [string, string, object])[] = [
    ['what the client has not declared', 'sampling/createMessage', { messages: [] }],
    ['a mode that it has not declared', 'elicitation/create', { mode: 'url', url: 'https://x.example' }],
    ['what is no question', 'tools/call', { name: 'delete_everything' }],
  ];
  test.each(forbidden)(
    '%s is answered with an error, and never asked (legacy)',
    async (_name, method, params) => {
      await using peer = createRawPeer(
        legacy(
          withoutStream((request) =>
            request.method === 'tools/call' ? question(request, method, params) : accepted(request),
          ),
        ),
      );
      await using connected = connect(peer.url);
      const person = answering({ action: 'accept' });
      const clientCapabilities = { elicitation: { form: {} } };
      const { outcome } = await connected.backend.call(
        tool('ask'),
        context({ clientCapabilities, ask: person.ask }),
      );
      expect(outcome.ok).toBe(true);
      expect(person.questions).toEqual([]);
      await until(() => posted(peer.requests).length === 1);
      expect(posted(peer.requests)[0]).toMatchObject({ id: 'q', error: { code: rpcErrors.methodNotFound } });
    },
  );

  const asks = (method: string): PeerAnswering =>
    onCall((request) =>
      result(request, { resultType: 'input_required', inputRequests: { q: { method, params: {} } } }),
    );

  test('what is no question makes the result of a modern server a failure', async () => {
    await using peer = createRawPeer(asks('tools/call'));
    expect(await bad(peer.url)).toMatchObject({ error: { reason: 'business_error' } });
  });

  test('what the client has not declared is for the edge to refuse, which names the capability (R27)', async () => {
    await using peer = createRawPeer(asks('sampling/createMessage'));
    expect(await bad(peer.url)).toMatchObject({ value: { kind: 'input_required' } });
  });

  test('a request on the stream of a modern server is ignored', async () => {
    await using peer = createRawPeer(onCall((request) => question(request, 'elicitation/create', {})));
    expect(await bad(peer.url)).toMatchObject({ ok: true });
    expect(posted(peer.requests)).toEqual([]);
  });

  test('a flood of pings is not answered with a flood', async () => {
    let posting = 0;
    let most = 0;
    await using peer = createRawPeer(
      legacy(
        withoutStream(async (request) => {
          if (request.method === 'tools/call') {
            const pings = Array.from({ length: 1_000 }, (_, id) => event({ id, method: 'ping' }));
            return stream([...pings, event({ id: request.id, result: fine })]);
          }
          most = Math.max(most, ++posting);
          await Bun.sleep(20);
          posting--;
          return accepted(request);
        }),
      ),
    );
    await using connected = connect(peer.url);
    expect((await connected.backend.call(tool('ask'), context())).outcome.ok).toBe(true);
    await until(() => most > 0 && posting === 0);
    expect(posted(peer.requests).length).toBeLessThanOrEqual(32);
  });

  test('questions without end stop being asked', async () => {
    await using peer = createRawPeer(
      legacy(
        withoutStream((request) => {
          if (request.method !== 'tools/call') return accepted(request);
          const questions = Array.from({ length: 100 }, (_, index) =>
            event({ id: `q${index}`, method: 'roots/list' }),
          );
          return stream([...questions, event({ id: request.id, result: fine })]);
        }),
      ),
    );
    await using connected = connect(peer.url);
    const person = answering({ roots: [] });
    await connected.backend.call(
      tool('ask'),
      context({ clientCapabilities: { roots: {} }, ask: person.ask }),
    );
    expect(person.questions.length).toBeLessThanOrEqual(16);
  });
});
