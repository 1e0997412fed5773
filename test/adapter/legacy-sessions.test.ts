import { describe, expect, test } from 'vitest';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { createRawPeer, event, legacy, type PeerRequest, result, stream, withoutStream } from './raw-peer.ts';
import { answering, bob, connect, context, tool, until } from './setup.ts';

const content = (text: string) => ({ content: [{ type: 'text', text }] });
const done = (request: PeerRequest) => result(request, content('done'));

describe('a legacy session (R43)', () => {
  test('is one for each principal, opened once however many calls begin at a time', async () => {
    await using peer = createRawPeer(legacy(withoutStream(done)));
    await using connected = connect(peer.url);
    const calls = Array.from({ length: 8 }, () => connected.backend.call(tool('echo'), context()));
    await Promise.all([...calls, connected.backend.call(tool('echo'), context({ principal: bob }))]);
    expect(peer.of('initialize')).toHaveLength(2);
    const sessions = new Set(
      peer
        .of('tools/call')
        .map(({ headers }) => `${headers.get('authorization')} ${headers.get('mcp-session-id')}`),
    );
    expect(sessions.size).toBe(2);
  });

  test('is begun again once; a server that forgets at once is a clear failure', async () => {
    await using peer = createRawPeer(legacy(withoutStream(() => new Response(null, { status: 404 }))));
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'failed', status: 404 } });
    expect(peer.of('initialize')).toHaveLength(2);
    expect(peer.of('tools/call')).toHaveLength(2);
  });

  test('is begun again, too, where the server says 400 without answering the request', async () => {
    let isLost = false;
    const serve = legacy(withoutStream(done));
    await using peer = createRawPeer((request) => {
      if (request.method !== 'tools/call' || !isLost) return serve(request);
      isLost = false;
      const error = { code: rpcErrors.serverError, message: 'Bad Request: No valid session ID provided' };
      return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 400 });
    });
    await using connected = connect(peer.url);
    await connected.backend.call(tool('echo'), context());
    isLost = true;
    expect((await connected.backend.call(tool('echo'), context())).outcome.ok).toBe(true);
    expect(peer.of('initialize')).toHaveLength(2);
  });

  test('answers a ping, and says of everything else that it is not known', async () => {
    await using peer = createRawPeer(
      legacy((request) => {
        if (request.verb === 'GET') {
          return stream(
            [event({ id: 'p', method: 'ping' }), event({ id: 'x', method: 'tasks/get' })],
            'open',
          );
        }
        return request.body.includes('"result"') || request.body.includes('"error"')
          ? new Response(null, { status: 202 })
          : done(request);
      }),
    );
    await using connected = connect(peer.url);
    await connected.backend.call(tool('echo'), context());
    const posted = () => peer.requests.filter(({ body, method }) => body !== '' && method === '');
    await until(() => posted().length === 2);
    const answers = posted().map(({ body }) => JSON.parse(body));
    expect(answers).toContainEqual({ jsonrpc: '2.0', id: 'p', result: {} });
    expect(answers).toContainEqual(
      expect.objectContaining({
        id: 'x',
        error: expect.objectContaining({ code: rpcErrors.methodNotFound }),
      }),
    );
  });

  test('asks the server for log messages down to the lowest level that a call wants, once', async () => {
    await using peer = createRawPeer(legacy(withoutStream(done), { tools: {}, logging: {} }));
    await using connected = connect(peer.url);
    const onLog = () => {};
    await connected.backend.call(tool('echo'), context());
    for (const logLevel of ['warning', 'error', 'info', 'info'] as const) {
      await connected.backend.call(tool('echo'), context({ onLog, logLevel }));
    }
    expect(peer.of('logging/setLevel').map(({ params }) => params.level)).toEqual(['warning', 'info']);
  });

  test('hears of a cancelled call by its id', async () => {
    await using peer = createRawPeer(
      legacy(
        withoutStream((request) => (request.method === 'tools/call' ? new Promise(() => {}) : done(request))),
      ),
    );
    await using connected = connect(peer.url);
    const stop = new AbortController();
    const pending = connected.backend.call(tool('echo'), context({ signal: stop.signal }));
    await until(() => peer.of('tools/call').length === 1);
    stop.abort();
    expect((await pending).outcome).toMatchObject({ error: { reason: 'cancelled' } });
    await until(() => peer.of('notifications/cancelled').length === 1);
    expect(peer.of('notifications/cancelled')[0]?.params.requestId).toBe(
      peer.of('tools/call')[0]?.id ?? 'none',
    );
  });
});

describe('a stream that breaks off (R43)', () => {
  test('is taken up again where it ended, after the time that the server named', async () => {
    const at: number[] = [];
    await using peer = createRawPeer(
      legacy((request) => {
        if (request.verb === 'GET' && request.headers.has('last-event-id')) {
          at.push(performance.now());
          const id = peer.of('tools/call')[0]?.id;
          return stream([event({ id, result: content('resumed') }, '3')]);
        }
        if (request.verb === 'GET') return new Response(null, { status: 405 });
        at.push(performance.now());
        return stream(['id: 2\nretry: 300\ndata: \n\n']);
      }),
    );
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ value: { text: expect.stringContaining('resumed') } });
    const resumed = peer.requests.find(({ headers }) => headers.has('last-event-id'));
    expect(resumed?.headers.get('last-event-id')).toBe('2');
    expect(resumed?.headers.get('mcp-session-id')).toBe('session-1');
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(290);
  });

  test('without an id is a clear failure, never an empty success (R25)', async () => {
    await using peer = createRawPeer(legacy(withoutStream(() => stream([': nothing\n\n']))));
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({
      error: { reason: 'unreachable', message: expect.stringContaining('without a result') },
    });
  });

  test('again and again without anything new is given up', async () => {
    await using peer = createRawPeer(legacy(() => stream(['id: 1\nretry: 5\ndata: \n\n'])));
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'unreachable' } });
    const resumed = peer.requests.filter(({ headers }) => headers.has('last-event-id'));
    expect(resumed.length).toBeLessThan(10);
  });

  test('is not taken up where the server has nothing to take up', async () => {
    await using peer = createRawPeer(
      legacy((request) =>
        request.verb === 'GET'
          ? new Response(null, { status: 405 })
          : stream(['id: 1\nretry: 5\ndata: \n\n']),
      ),
    );
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'unreachable' } });
  });
});

describe('a server that wants the user to visit a page first (-32042)', () => {
  const elicitations = [
    {
      mode: 'url',
      elicitationId: 'e1',
      url: 'https://provider.example/connect',
      message: 'Connect your account',
    },
    { mode: 'url', elicitationId: 'e2', url: 'javascript:alert(1)', message: 'Run this' },
  ];
  const peerOf = () =>
    createRawPeer(
      legacy(
        withoutStream((request) =>
          Response.json({
            jsonrpc: '2.0',
            id: request.id,
            error: { code: rpcErrors.urlElicitationRequired, message: 'visit', data: { elicitations } },
          }),
        ),
      ),
    );

  test('becomes a question for a modern client that can be sent there; links that are none are left out', async () => {
    await using peer = peerOf();
    await using connected = connect(peer.url);
    const clientCapabilities = { elicitation: { url: {} } };
    const { outcome } = await connected.backend.call(tool('echo'), context({ clientCapabilities }));
    const { elicitationId: _id, ...params } = elicitations[0] ?? {};
    expect(outcome).toEqual({
      ok: true,
      value: {
        kind: 'input_required',
        inputRequests: { 'visit-1': { method: 'elicitation/create', params } },
        requestState: undefined,
      },
    });
    const inputResponses = { 'visit-1': { action: 'accept' } };
    await connected.backend.call(tool('echo'), context({ clientCapabilities, inputResponses }));
    expect(peer.of('tools/call')[1]?.params).toEqual({ name: 'echo', arguments: {} });
  });

  test('becomes words with the link for every other client', async () => {
    await using peer = peerOf();
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context({ ask: answering({}).ask }));
    expect(outcome).toMatchObject({
      error: {
        reason: 'business_error',
        message: expect.stringContaining('https://provider.example/connect'),
      },
    });
    expect(JSON.stringify(outcome)).not.toContain('javascript:');
  });
});
