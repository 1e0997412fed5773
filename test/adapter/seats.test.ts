import { describe, expect, test } from 'vitest';
import { createMovingClock } from '../support/moving-clock.ts';
import { createRawPeer, legacy, modern, type PeerAnswering, result, withoutStream } from './raw-peer.ts';
import { ada, bob, connect, context, tool, until } from './setup.ts';

const done: PeerAnswering = (request) => result(request, { content: [] });

describe('the connections to one server', () => {
  test('are bounded: the least recently used makes room, with its session ended', async () => {
    await using peer = createRawPeer(legacy(withoutStream(done)));
    await using connected = connect(peer.url, { maxSeats: 1 });
    await connected.backend.call(tool('a'), context());
    await connected.backend.call(tool('a'), context({ principal: bob }));
    const ended = () => peer.requests.filter(({ verb }) => verb === 'DELETE');
    await until(() => ended().length === 1);
    expect(ended()[0]?.headers.get('mcp-session-id')).toBe('session-1');
  });

  test('are no more than that while all are in use, and others hear so', async () => {
    const never = Promise.withResolvers<Response>();
    await using peer = createRawPeer(
      legacy(withoutStream((request) => (request.verb === 'POST' ? never.promise : done(request)))),
    );
    await using connected = connect(peer.url, { maxSeats: 1, timeoutMs: 1_000 });
    const hanging = connected.backend.call(tool('a'), context());
    await until(() => peer.of('tools/call').length === 1);
    const { outcome } = await connected.backend.call(tool('a'), context({ principal: bob }));
    expect(outcome).toMatchObject({ error: { reason: 'busy' } });
    expect((await hanging).outcome).toMatchObject({ error: { reason: 'timeout' } });
  });

  test('end when nobody used them for a while, but not while a resource is followed', async () => {
    await using peer = createRawPeer(
      legacy(withoutStream(done), { tools: {}, resources: { subscribe: true } }),
    );
    const clock = createMovingClock();
    await using connected = connect(peer.url, { idleMs: 60_000 }, undefined, { clock });
    await connected.backend.call(tool('a'), context());
    const stop = connected.backend.follow?.('test://srv/a', bob);
    await until(() => peer.of('resources/subscribe').length === 1);
    clock.advance(61_000);
    await connected.backend.read('test://srv/a', context({ principal: bob }));
    const ended = () =>
      peer.requests
        .filter(({ verb }) => verb === 'DELETE')
        .map(({ headers }) => headers.get('authorization'));
    await until(() => ended().length === 1);
    expect(ended()).toEqual(['Bearer token-of-ada']);
    stop?.();
  });
});

describe('a connection that was opened for a token which is denied', () => {
  test('is ended with what waits on it, and that of others goes on', async () => {
    const never = Promise.withResolvers<Response>();
    await using peer = createRawPeer(
      legacy(withoutStream((request) => (request.verb === 'POST' ? never.promise : done(request)))),
    );
    await using connected = connect(peer.url, { timeoutMs: 5_000 });
    const adas = connected.backend.call(tool('a'), context({ principal: ada }));
    const bobs = connected.backend.call(tool('a'), context({ principal: bob }));
    await until(() => peer.of('tools/call').length === 2);
    connected.backend.endDenied(({ subject }) => subject === 'ada');
    expect((await adas).outcome).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    never.resolve(new Response(null, { status: 400 }));
    expect((await bobs).outcome).not.toMatchObject({ error: { reason: 'cancelled' } });
  });

  test('serves nobody, also where it was opened late: a new sign-in of the same user gets one of its own', async () => {
    await using peer = createRawPeer(legacy(withoutStream(done)));
    const denied = new Set<object>();
    await using connected = connect(peer.url, {}, undefined, {
      isDenied: (token) => denied.has(token),
    });
    await connected.backend.call(tool('a'), context({ principal: ada }));
    denied.add(ada);
    const again = { ...ada };
    const { outcome } = await connected.backend.call(tool('a'), context({ principal: again }));
    expect(outcome.ok).toBe(true);
    expect(peer.of('initialize')).toHaveLength(2);
    const sent = peer.of('tools/call').length;
    await connected.backend.call(tool('a'), context({ principal: ada }));
    expect(peer.of('tools/call')).toHaveLength(sent);
  });
});

test('a modern server hears what its caller can be asked, and nothing of what is not relayed (R27)', async () => {
  await using peer = createRawPeer(modern(done));
  await using connected = connect(peer.url);
  const clientCapabilities = { elicitation: { form: {}, url: {} }, roots: {} };
  await connected.backend.call(tool('a'), context({ clientCapabilities, principal: ada }));
  expect(peer.of('tools/call')[0]?.params._meta).toMatchObject({
    'io.modelcontextprotocol/clientCapabilities': clientCapabilities,
  });
});

test.each([
  ['modern', modern(done)],
  ['legacy', legacy(withoutStream(done))],
] as const)(
  'the trace of a call goes along in headers and in _meta, without what no header can carry (%s, R33)',
  async (_era, serve) => {
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const trace = { traceparent, tracestate: 'a=1\r\nX-Evil: 1', other: 'x' };
    expect((await connected.backend.call(tool('a'), context({ trace }))).outcome.ok).toBe(true);
    const [call] = peer.of('tools/call');
    expect(call?.headers.get('traceparent')).toBe(traceparent);
    expect(call?.params._meta).toMatchObject({ traceparent });
    expect(JSON.stringify([call?.params, [...(call?.headers ?? [])]])).not.toMatch(/Evil|tracestate|other/);
  },
);
