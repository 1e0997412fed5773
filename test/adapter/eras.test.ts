import { describe, expect, test } from 'vitest';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { createMovingClock } from '../support/moving-clock.ts';
import {
  createRawPeer,
  error,
  legacy,
  modern,
  type PeerAnswering,
  result,
  withoutStream,
} from './raw-peer.ts';
import { accounts, ada, bob, connect, context, tool, user } from './setup.ts';

const said =
  (text: string): PeerAnswering =>
  (request) =>
    result(request, { content: [{ type: 'text', text }] });

async function called(backend: ReturnType<typeof connect>['backend']) {
  const { outcome } = await backend.call(tool('echo'), context());
  if (!outcome.ok) return outcome.error.reason;
  return outcome.value.kind === 'mcp' ? JSON.parse(outcome.value.text).content[0].text : outcome.value.kind;
}

describe('the era of a server (R40)', () => {
  test('a discover result means modern: no session, every request describes itself (R41)', async () => {
    await using peer = createRawPeer(modern(said('modern')));
    await using connected = connect(peer.url);
    expect(await called(connected.backend)).toBe('modern');
    const [call] = peer.of('tools/call');
    expect(Object.fromEntries(call?.headers ?? [])).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      accept: 'application/json, text/event-stream',
    });
    expect(call?.params._meta).toEqual({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'cortex-gateway', version: '0.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    });
    expect(peer.of('initialize')).toEqual([]);
  });

  const refusals: readonly (readonly [string, PeerAnswering])[] = [
    ['400 with a text', () => new Response('Bad Request: No valid session ID', { status: 400 })],
    [
      '400 with an error of nobody',
      () =>
        Response.json(
          {
            jsonrpc: '2.0',
            id: null,
            error: { code: rpcErrors.serverError, message: 'Unsupported protocol version' },
          },
          { status: 400 },
        ),
    ],
    ['404 with a page', () => new Response('<h1>not here</h1>', { status: 404 })],
    ['405', () => new Response(null, { status: 405 })],
    [
      '200 with "method not found"',
      (request) => error(request, rpcErrors.methodNotFound, 'Method not found'),
    ],
  ];
  test.each(refusals)(
    '%s means legacy: initialize, then a session with every message',
    async (_name, refusal) => {
      const serve = legacy(withoutStream(said('legacy')));
      await using peer = createRawPeer((request) =>
        request.method === 'server/discover' ? refusal(request) : serve(request),
      );
      await using connected = connect(peer.url);
      expect(await called(connected.backend)).toBe('legacy');
      expect(peer.of('notifications/initialized')).toHaveLength(1);
      const [call] = peer.of('tools/call');
      expect(call?.headers.get('mcp-session-id')).toBe('session-1');
      expect(call?.headers.get('mcp-protocol-version')).toBe('2025-11-25');
      expect(call?.params).toEqual({ name: 'echo', arguments: {} });
    },
  );

  const modernRefusals: readonly (readonly [string, number, number])[] = [
    ['400 with a header mismatch', 400, rpcErrors.headerMismatch],
    ['400 with a missing capability', 400, rpcErrors.missingClientCapability],
    ['400 with invalid parameters', 400, rpcErrors.invalidParams],
    ['404 with "method not found"', 404, rpcErrors.methodNotFound],
  ];
  test.each(modernRefusals)('%s means modern', async (_name, status, code) => {
    const serve = modern(said('modern'));
    await using peer = createRawPeer((request) =>
      request.method === 'server/discover' ? error(request, code, 'no', status) : serve(request),
    );
    await using connected = connect(peer.url);
    expect(await called(connected.backend)).toBe('modern');
    expect(peer.of('initialize')).toEqual([]);
  });

  const undecided: readonly (readonly [string, PeerAnswering, string])[] = [
    ['401', () => new Response(null, { status: 401 }), 'link_required'],
    ['403', () => new Response(null, { status: 403 }), 'denied'],
    ['500', () => new Response(null, { status: 500 }), 'failed'],
    ['503', () => new Response(null, { status: 503 }), 'failed'],
    ['a time-out', () => new Promise<Response>(() => {}), 'timeout'],
  ];
  test.each(undecided)(
    '%s decides nothing, and is asked again by the next call',
    async (_name, answer, reason) => {
      const serve = modern(said('modern'));
      let isRefusing = true;
      await using peer = createRawPeer((request) => (isRefusing ? answer(request) : serve(request)));
      await using connected = connect(peer.url, { pollTimeoutMs: 200 });
      expect(await called(connected.backend)).toBe(reason);
      expect(peer.of('initialize')).toEqual([]);
      isRefusing = false;
      expect(await called(connected.backend)).toBe('modern');
    },
  );

  test('a refused revision is asked for again where the server names it as supported', async () => {
    const serve = modern(said('modern'));
    let probes = 0;
    await using peer = createRawPeer((request) => {
      const isFirst = request.method === 'server/discover' && ++probes === 1;
      if (!isFirst) return serve(request);
      return error(request, rpcErrors.unsupportedProtocolVersion, 'no', 400, { supported: ['2026-07-28'] });
    });
    await using connected = connect(peer.url);
    expect(await called(connected.backend)).toBe('modern');
    expect(probes).toBe(2);
  });

  test('a server whose supported revisions are all of 2025 is initialized; one with none of ours is a clear failure', async () => {
    const serve = legacy(withoutStream(said('legacy')));
    let supported = ['2025-11-25'];
    await using peer = createRawPeer((request) =>
      request.method === 'server/discover'
        ? error(request, rpcErrors.unsupportedProtocolVersion, 'no', 400, { supported })
        : serve(request),
    );
    await using first = connect(peer.url);
    expect(await called(first.backend)).toBe('legacy');
    supported = ['2031-01-01'];
    await using second = connect(peer.url);
    const { outcome } = await second.backend.call(tool('echo'), context());
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('no revision') } });
  });

  test('the verdict is remembered for all connections, and asked for again when it has expired', async () => {
    const clock = createMovingClock();
    await using peer = createRawPeer(modern(said('modern')));
    const held = accounts({ ada: 'a', bob: 'b', eve: 'e' });
    await using connected = connect(peer.url, {}, held, { clock });
    const call = (principal: Principal) => connected.backend.call(tool('echo'), context({ principal }));
    await call(ada);
    await call(bob);
    expect(peer.of('server/discover')).toHaveLength(1);
    clock.advance(limits.eraVerdictMs);
    await call(user('eve'));
    expect(peer.of('server/discover')).toHaveLength(2);
  });

  test('a server that turns from modern to legacy is probed again, and the call succeeds', async () => {
    await using peer = createRawPeer(modern(said('modern')));
    await using connected = connect(peer.url);
    expect(await called(connected.backend)).toBe('modern');
    const old = legacy(withoutStream(said('legacy')));
    peer.answer((request) =>
      request.headers.has('mcp-session-id') || request.method !== 'tools/call'
        ? old(request)
        : new Response('Bad Request: No valid session', { status: 400 }),
    );
    expect(await called(connected.backend)).toBe('legacy');
  });

  test('a server that turns from legacy to modern is probed again, and the call succeeds', async () => {
    await using peer = createRawPeer(legacy(withoutStream(said('legacy'))));
    await using connected = connect(peer.url);
    expect(await called(connected.backend)).toBe('legacy');
    const fresh = modern(said('modern'));
    peer.answer((request) =>
      request.headers.get('mcp-protocol-version') === '2026-07-28'
        ? fresh(request)
        : error(request, rpcErrors.unsupportedProtocolVersion, 'no', 400, { supported: ['2026-07-28'] }),
    );
    expect(await called(connected.backend)).toBe('modern');
  });
});
