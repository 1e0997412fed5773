import { describe, expect, test } from 'vitest';
import {
  createRawPeer,
  event,
  legacy,
  modern,
  type PeerAnswering,
  type PeerRequest,
  result,
} from './raw-peer.ts';
import { createSdkV1Server } from './sdk-v1-server.ts';
import { createSdkV2Server } from './sdk-v2-server.ts';
import { accounts, ada, bob, connect, context, tool, until } from './setup.ts';

const never = new AbortController().signal;

/** A stream that the test writes to. */
function openStream(request: PeerRequest, first: readonly string[] = []) {
  const encoder = new TextEncoder();
  const writers: ReadableStreamDefaultController<Uint8Array>[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      writers.push(controller);
      for (const chunk of first) controller.enqueue(encoder.encode(chunk));
    },
  });
  return {
    request,
    response: new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    send: (chunk: string) => writers[0]?.enqueue(encoder.encode(chunk)),
    end: () => writers[0]?.close(),
  };
}

const listsChanged = event({ method: 'notifications/tools/list_changed' });
const acknowledged = (request: PeerRequest) =>
  event({
    method: 'notifications/subscriptions/acknowledged',
    params: {
      _meta: { 'io.modelcontextprotocol/subscriptionId': request.id },
      notifications: request.params.notifications,
    },
  });

/** A server whose streams the test holds in its hands. */
function streaming(era: typeof modern | typeof legacy) {
  const streams: ReturnType<typeof openStream>[] = [];
  const capabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } };
  const lists: Readonly<Record<string, object>> = {
    'tools/list': { tools: [{ name: 'a', inputSchema: { type: 'object' } }] },
    'resources/list': { resources: [] },
    'resources/templates/list': { resourceTemplates: [] },
  };
  const answer: PeerAnswering = (request) => {
    if (request.method === 'subscriptions/listen' || request.verb === 'GET') {
      const stream = openStream(request, request.verb === 'GET' ? [] : [acknowledged(request)]);
      streams.push(stream);
      return stream.response;
    }
    return result(request, lists[request.method] ?? { content: [] });
  };
  return { streams, serve: era(answer, capabilities) };
}

describe.each([
  ['modern: subscriptions/listen', modern],
  ['legacy: the GET stream', legacy],
] as const)('what a server tells by itself (%s, R48)', (_name, era) => {
  test('is heard on one stream for everyone where the lists are everyone’s', async () => {
    const { streams, serve } = streaming(era);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url, { mode: 'none' });
    await connected.backend.discover(undefined, never);
    await connected.backend.discover(undefined, never);
    await until(() => streams.length === 1);
    streams[0]?.send(listsChanged);
    await until(() => connected.told.length > 0);
    expect(connected.told).toEqual(['catalog']);
    expect(streams).toHaveLength(1);
  });

  test('is heard on a stream for each principal, and changes nobody else’s lists', async () => {
    const { streams, serve } = streaming(era);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url);
    for (const principal of [ada, bob]) await connected.backend.personal?.refresh(principal, never);
    await until(() => streams.length === 2);
    const before = connected.backend.personal?.current(bob);
    const own = streams.find(({ request }) => request.headers.get('authorization') === 'Bearer token-of-ada');
    const asked = peer.of('tools/list').length;
    own?.send(listsChanged);
    await until(() => peer.of('tools/list').length === asked + 1);
    expect(peer.of('tools/list').at(-1)?.headers.get('authorization')).toBe('Bearer token-of-ada');
    expect(connected.backend.personal?.current(bob)).toBe(before);
  });

  test('is listened to again after the stream ended, and what was missed meanwhile is asked for', async () => {
    const { streams, serve } = streaming(era);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url, { mode: 'none' });
    await connected.backend.discover(undefined, never);
    await until(() => streams.length === 1);
    streams[0]?.end();
    await until(() => streams.length === 2);
    await until(() => connected.told.includes('catalog'));
  });

  test('a flood of it is a trickle of questions', async () => {
    const { streams, serve } = streaming(era);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url);
    await connected.backend.personal?.refresh(ada, never);
    await until(() => streams.length === 1);
    const asked = peer.of('tools/list').length;
    streams[0]?.send(listsChanged.repeat(2_000));
    await until(() => peer.of('tools/list').length > asked);
    await Bun.sleep(300);
    expect(peer.of('tools/list').length - asked).toBeLessThanOrEqual(2);
  });

  test('ends with the backend', async () => {
    const { streams, serve } = streaming(era);
    await using peer = createRawPeer(serve);
    {
      await using connected = connect(peer.url, { mode: 'none' });
      await connected.backend.discover(undefined, never);
      await until(() => streams.length === 1);
    }
    await until(() => streams[0]?.request.signal.aborted === true);
  });
});

describe('a followed resource', () => {
  test('of a modern server is in the filter of the one stream, counted by those who follow', async () => {
    const { streams, serve } = streaming(modern);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url);
    const stops = [1, 2].map(() => connected.backend.follow?.('test://srv/a', ada));
    const filters = () => streams.map(({ request }) => JSON.stringify(request.params.notifications));
    await until(() => filters().some((filter) => filter.includes('test://a')));
    const updated = event({ method: 'notifications/resources/updated', params: { uri: 'test://a' } });
    streams.at(-1)?.send(updated);
    await until(() => connected.told.includes(`updated test://srv/a ${ada.key}`));
    stops[0]?.();
    await Bun.sleep(100);
    expect(filters().at(-1)).toContain('test://a');
    stops[1]?.();
    stops[1]?.();
    await until(() => filters().at(-1)?.includes('test://a') === false);
  });

  test('keeps the old stream until the new one is acknowledged', async () => {
    const { streams, serve } = streaming(modern);
    await using peer = createRawPeer(serve);
    await using connected = connect(peer.url);
    connected.backend.follow?.('test://srv/a', ada);
    await until(() => streams.length > 0);
    const last = () => JSON.stringify(streams.at(-1)?.request.params.notifications);
    await until(() => last().includes('test://a'));
    const count = streams.length;
    connected.backend.follow?.('test://srv/b', ada);
    await until(() => streams.length > count && last().includes('test://b'));
    expect(last()).toContain('test://a');
    await until(() => streams[count - 1]?.request.signal.aborted === true);
    expect(streams.at(-1)?.request.signal.aborted).toBe(false);
  });

  test('of a legacy server is subscribed to once, again in a new session, and given up at the end', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const stops = [1, 2].map(() => connected.backend.follow?.('test://srv/static', ada));
    await until(() => server.state.subscribed.length === 1);
    const [session] = server.sessions.values();
    await until(() => server.state.streams === 1);
    await session?.server.sendResourceUpdated({ uri: 'test://static' });
    await until(() => connected.told.includes(`updated test://srv/static ${ada.key}`));
    server.forget();
    await connected.backend.call(tool('echo'), context());
    await until(() => server.state.subscribed.length === 2);
    for (const stop of stops) stop?.();
    await until(() => server.state.subscribed.length === 1);
    expect(server.state.subscribed).toEqual(['test://static']);
  });

  test('of a modern SDK server is told to the principal who follows it', async () => {
    await using server = createSdkV2Server();
    await using connected = connect(server.url);
    connected.backend.follow?.('test://srv/static', ada);
    await until(() => {
      server.notify.resourceUpdated('test://static');
      return connected.told.length > 0;
    });
    expect(connected.told[0]).toBe(`updated test://srv/static ${ada.key}`);
  });

  test('is followed on with the account that is linked anew', async () => {
    await using server = createSdkV1Server();
    const held = accounts();
    await using connected = connect(server.url, {}, held);
    const stop = connected.backend.follow?.('test://srv/static', ada);
    await Bun.sleep(50);
    expect(server.state.subscribed).toEqual([]);
    held.tokens.set('ada', 'token');
    connected.backend.linkingChanged(ada.key);
    await until(() => server.state.subscribed.length === 1);
    connected.backend.linkingChanged(ada.key);
    await until(() => server.state.subscribed.length === 2);
    stop?.();
    await until(() => server.state.subscribed.length === 1);
  });

  test('that is not this server’s is not followed', async () => {
    await using peer = createRawPeer(streaming(modern).serve);
    await using connected = connect(peer.url);
    connected.backend.follow?.('test://other/a', ada)();
    expect(peer.requests).toEqual([]);
  });
});

test('a change of the lists of a modern SDK server reaches everyone within a second (R24)', async () => {
  await using server = createSdkV2Server();
  await using connected = connect(server.url, { mode: 'none' });
  await connected.backend.discover(undefined, never);
  await until(() => {
    server.notify.toolsChanged();
    return connected.told.length > 0;
  });
  expect(connected.told[0]).toBe('catalog');
});
