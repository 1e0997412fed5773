import { describe, expect, test } from 'vitest';
import { ok } from '#kernel/result.ts';
import { createRawPeer, legacy, modern, type PeerAnswering, result, withoutStream } from './raw-peer.ts';
import { accounts, ada, bob, connect, context, tool } from './setup.ts';

const never = new AbortController().signal;
const everything: PeerAnswering = (request) => {
  if (request.method === 'resources/list')
    return result(request, { resources: [{ uri: 'test://a', name: 'a' }] });
  if (request.method === 'prompts/list') return result(request, { prompts: [{ name: 'p' }] });
  if (request.method === 'resources/templates/list') return result(request, { resourceTemplates: [] });
  if (request.method === 'tools/list') return result(request, { tools: [] });
  if (request.method === 'completion/complete') return result(request, { completion: { values: [] } });
  return result(request, { content: [], messages: [], contents: [] });
};
const capabilities = {
  tools: { listChanged: true },
  prompts: {},
  resources: { subscribe: true, listChanged: true },
  logging: {},
};

/** Everything that a backend can be asked. */
async function useEverything({ backend }: ReturnType<typeof connect>): Promise<void> {
  await backend.discover(undefined, never);
  await backend.personal?.refresh(ada, never);
  const with_ = context({
    onProgress() {},
    onLog() {},
    logLevel: 'debug',
    trace: { traceparent: '00-1-2-01' },
  });
  await backend.call(tool('echo'), with_);
  await backend.read('test://srv/a', with_);
  await backend.prompt('p', {}, with_);
  await backend.complete({ type: 'ref/prompt', name: 'p' }, { name: 'x', value: '' }, with_);
  await backend.help(undefined, with_);
  await backend.whoami(with_);
  await backend.ticket('list_tickets', {}, with_);
  const stop = backend.follow?.('test://srv/a', ada);
  await Bun.sleep(100);
  stop?.();
  await backend.close();
}

describe('whose token reaches a native server (R38)', () => {
  const eras = [
    ['modern', (answer: PeerAnswering) => modern(answer, capabilities)],
    ['legacy', (answer: PeerAnswering) => legacy(answer, capabilities)],
  ] as const;

  test.each(eras)(
    'never the user’s own gateway token, nor anything of the gateway’s about the user (%s)',
    async (_era, serve) => {
      await using peer = createRawPeer(serve(everything));
      await using connected = connect(peer.url);
      await useEverything(connected);
      expect(peer.requests.length).toBeGreaterThan(8);
      for (const request of peer.requests) {
        const headers = JSON.stringify(Object.fromEntries(request.headers));
        for (const ours of ['user.jwt.token', 'x-cortex', 'ada@example.com', 'mcp:srv', 'issuer.example']) {
          expect(headers + request.body).not.toContain(ours);
        }
        expect(request.headers.get('authorization')).toBe('Bearer token-of-ada');
      }
    },
  );

  test('nobody’s where the server needs none, the operator’s where there is a secret', async () => {
    await using peer = createRawPeer(modern(everything, capabilities));
    await using open = connect(peer.url, { mode: 'none' });
    await useEverything(open);
    expect(peer.requests.every(({ headers }) => !headers.has('authorization'))).toBe(true);
    await using secret = connect(peer.url, { mode: 'static' });
    const { mode } = await secret.backend.call(tool('echo'), context());
    expect(mode).toBe('static');
    expect(peer.requests.at(-1)?.headers.get('authorization')).toBe('Bearer operator-secret');
  });

  test.each([
    ['linked', 'your own'],
    ['static', 'one for everybody'],
    ['none', 'none'],
  ] as const)('is said to who asks, and nothing is sent for it (%s)', async (mode, account) => {
    await using peer = createRawPeer(modern(everything, capabilities));
    await using connected = connect(peer.url, { mode });
    expect(await connected.backend.whoami(context())).toMatchObject({ outcome: ok({ account }) });
    expect(peer.requests).toEqual([]);
  });

  test('each principal’s own, whoever else calls at the same time', async () => {
    await using peer = createRawPeer(
      modern((request) =>
        result(request, { content: [{ type: 'text', text: request.headers.get('authorization') }] }),
      ),
    );
    await using connected = connect(peer.url);
    const callers = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ada : bob));
    const made = await Promise.all(
      callers.map((principal) => connected.backend.call(tool('echo'), context({ principal }))),
    );
    for (const [index, { outcome }] of made.entries()) {
      expect(JSON.stringify(outcome)).toContain(`token-of-${callers[index]?.subject}`);
    }
  });

  test('follows no redirect to another place (R39)', async () => {
    await using thief = createRawPeer(modern(everything));
    await using peer = createRawPeer(modern(() => Response.redirect(thief.url, 307)));
    await using connected = connect(peer.url);
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'failed', status: 307 } });
    expect(thief.requests).toEqual([]);
  });
});

describe('a token that a server refuses', () => {
  const refusing = (accepted: string) =>
    createRawPeer((request) => {
      if (request.headers.get('authorization') !== `Bearer ${accepted}`)
        return new Response(null, { status: 401 });
      return legacy(withoutStream(everything))(request);
    });

  test('is replaced once, and the call succeeds', async () => {
    await using peer = refusing('fresh-token');
    const held = accounts({ ada: 'old-token' });
    held.fresh.set('ada', 'fresh-token');
    await using connected = connect(peer.url, {}, held);
    expect((await connected.backend.call(tool('echo'), context())).outcome.ok).toBe(true);
    expect(held.rejections).toBe(1);
  });

  test('and whose successor it refuses, too, means: link again', async () => {
    await using peer = refusing('another-token');
    const held = accounts({ ada: 'old-token' });
    held.fresh.set('ada', 'fresh-token');
    await using connected = connect(peer.url, {}, held);
    const { outcome, mode } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'link_required', status: 401 } });
    expect(mode).toBe('linked');
    expect(held.rejections).toBe(1);
  });

  test('of the operator is no link of a user’s', async () => {
    await using peer = refusing('another-token');
    await using connected = connect(peer.url, { mode: 'static' });
    const { outcome } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'token_refused' } });
  });

  test('for want of rights names them for the next link, until that does not help', async () => {
    await using peer = createRawPeer(
      modern(() => {
        const challenge = 'Bearer realm="x", error="insufficient_scope", scope="files:read files:write"';
        return new Response(null, { status: 403, headers: { 'www-authenticate': challenge } });
      }),
    );
    const held = accounts({ ada: 'token' });
    await using connected = connect(peer.url, {}, held);
    const call = async () => (await connected.backend.call(tool('echo'), context())).outcome;
    expect(await call()).toMatchObject({ error: { reason: 'link_required' } });
    expect(held.insufficient).toEqual([{ subject: 'ada', scopes: ['files:read', 'files:write'] }]);
    expect(await call()).toMatchObject({ error: { reason: 'denied' } });
  });
});

test('without a linked account nothing is sent at all, and nothing counts against the server', async () => {
  await using peer = createRawPeer(modern(everything));
  await using connected = connect(peer.url, {}, accounts());
  for (let call = 0; call < 10; call++) {
    const { outcome, mode } = await connected.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { reason: 'link_required' } });
    expect(mode).toBeUndefined();
  }
  expect(peer.requests).toEqual([]);
  expect(connected.backend.health().breaker).toBe('closed');
});

test('an account that was linked anew is used from the next call on, in a session of its own', async () => {
  await using peer = createRawPeer(legacy(withoutStream(everything)));
  const held = accounts({ ada: 'first' });
  await using connected = connect(peer.url, {}, held);
  await connected.backend.call(tool('echo'), context());
  held.tokens.set('ada', 'second');
  connected.backend.linkingChanged(ada.key);
  await connected.backend.call(tool('echo'), context());
  const calls = peer
    .of('tools/call')
    .map(({ headers }) => [headers.get('authorization'), headers.get('mcp-session-id')]);
  expect(calls).toEqual([
    ['Bearer first', 'session-1'],
    ['Bearer second', 'session-2'],
  ]);
});
