import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIssuer } from '../support/issuer.ts';
import { type McpCaller, namesIn } from '../support/mcp-caller.ts';
import {
  type BackendSetup,
  canonicalUrl,
  type RunningGateway,
  runGateway,
} from '../support/running-gateway.ts';

const open: BackendSetup = { tools: [{ name: 'open', scope: 'mcp:test' }] };
let running: RunningGateway;
let ada: McpCaller;
beforeEach(async () => {
  running = await runGateway({ backends: { notes: open } });
  ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
});
afterEach(() => running.close());

const owned = async (caller = ada) =>
  namesIn(await caller.modern('tools/list'), 'tools').filter((name) => /_(open|get_help)$/.test(name));
async function reload(
  backends: Readonly<Record<string, BackendSetup>>,
  config: Parameters<RunningGateway['reload']>[1] = {},
) {
  const restart = await running.reload(backends, config);
  await running.gateway.settled();
  return restart;
}

describe('a reload', () => {
  test('that adds a backend shows its tools and tells the listeners; one that removes it does the same (R24)', async () => {
    const stream = await ada.listen({ toolsListChanged: true });
    await stream.next();
    await reload({ notes: open, billing: open });
    expect(await owned()).toEqual(['billing_get_help', 'billing_open', 'notes_get_help', 'notes_open']);
    expect((await stream.next(1_000)).method).toBe('notifications/tools/list_changed');
    await reload({ notes: open });
    expect(await owned()).toEqual(['notes_get_help', 'notes_open']);
    expect((await stream.next(1_000)).method).toBe('notifications/tools/list_changed');
    const gone = await ada.tool('billing_open');
    expect(gone.error).toEqual({ code: -32602, message: 'Unknown tool: billing_open' });
    await stream.close();
  });

  test('that changes a prefix changes the names at once; the former ones stay callable with today’s scope (R19)', async () => {
    const prefixed = { ...open, config: { prefix: 'n' } };
    await reload({ notes: prefixed });
    expect(await owned()).toEqual(['n_get_help', 'n_open']);
    expect((await ada.tool('notes_open')).isError).toBe(false);
    running.backend('notes').setTools([{ name: 'open', scope: 'mcp:more' }]);
    await running.gateway.catalog.poll();
    expect((await ada.tool('notes_open')).error).toEqual({
      code: -32602,
      message: 'Unknown tool: notes_open',
    });
    running.backend('notes').setTools([]);
    await running.gateway.catalog.poll();
    const more = await running.caller({ scope: 'mcp:more mcp:test' });
    expect((await more.tool('notes_open')).error.code).toBe(-32602);
  });

  test('that touches a backend’s prefix alone neither polls it again nor forgets its breaker', async () => {
    const polls = () => running.backend('notes').callsOf('list_tools').length;
    await reload({ notes: { ...open, config: { prefix: 'n' } } });
    await Bun.sleep(50);
    expect(polls()).toBe(1);
  });

  test('that changes only the technical token uses the new one, for polls and for pokes', async () => {
    const bearers = () =>
      running
        .backend('notes')
        .callsOf('list_tools')
        .map(({ headers }) => headers.get('authorization'));
    await reload({ notes: { ...open, technicalToken: 'rotated' } });
    await running.gateway.catalog.poll();
    expect(bearers().at(-1)).toBe('Bearer rotated');
    const poke = (token: string) =>
      running.fetch('/catalog/changed', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    expect([(await poke('technical-token')).status, (await poke('rotated')).status]).toEqual([401, 202]);
  });

  test('takes over limits, origins and what becomes of a missing scope', async () => {
    await reload(
      { notes: open },
      {
        auth: { missing_scope: 'challenge' },
        gateway: { origins: ['https://new.example'] },
        limits: { calls_per_minute: 7 },
      },
    );
    running.backend('notes').setTools([{ name: 'open', scope: 'mcp:more' }]);
    await running.gateway.catalog.poll();
    expect((await ada.tool('notes_open')).status).toBe(403);
    const preflight = await running.fetch('/mcp', {
      method: 'OPTIONS',
      headers: { origin: 'https://new.example' },
    });
    expect(preflight.status).toBe(204);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async () => (await ada.modern('ping')).status),
    );
    expect(statuses).toContain(429);
  });

  test('of a backend’s timeout or result size holds for the next call', async () => {
    running.backend('notes').answer('open', () => Response.json({ rows: 'x'.repeat(5_000) }));
    expect((await ada.tool('notes_open')).isError).toBe(false);
    await reload({ notes: { ...open, config: { max_result: '1KB' } } });
    expect((await ada.tool('notes_open')).said).toContain('too large');
    await reload({ notes: open }, { limits: { result_size: '2KB' } });
    expect((await ada.tool('notes_open')).said).toContain('too large');
  });

  test('names the settings that hold only after a restart, and keeps to the old ones until then', async () => {
    const restart = await reload(
      { notes: open },
      {
        limits: {
          poll_interval: '5s',
          stale_grace: '1m',
          session_lifetime: '2h',
          subscriptions_per_session: 3,
        },
        log: { level: 'debug' },
      },
    );
    expect(restart).toEqual([
      'log',
      'limits.session_lifetime',
      'limits.poll_interval',
      'limits.stale_grace',
      'limits.subscriptions_per_session',
    ]);
    expect((await ada.modern('tools/list')).result.ttlMs).toBe(60_000);
  });

  test('that changes nothing ends no stream, drops no token and polls nobody', async () => {
    const stream = await ada.listen({ toolsListChanged: true });
    await stream.next();
    expect(await reload({ notes: open })).toEqual([]);
    expect(await stream.within(300)).toEqual([]);
    expect(stream.hasEnded).toBe(false);
    expect(running.backend('notes').callsOf('list_tools')).toHaveLength(1);
    await ada.modern('tools/list');
    expect(running.issuer.keyFetches()).toBe(1);
    await stream.close();
  });
});

describe('a reload of who may come in', () => {
  test('ends the open streams with a result, and asks every token again', async () => {
    const modern = await ada.listen({ toolsListChanged: true }, { id: 'l' });
    const legacy = await (await ada.initialize()).events();
    await modern.next();
    await reload({ notes: open }, { auth: { baseline_scopes: ['mcp:base'] } });
    expect((await modern.rest())[0]).toMatchObject({ id: 'l', result: { resultType: 'complete' } });
    expect(await legacy.rest()).toEqual([]);
    expect((await ada.modern('tools/list')).status).toBe(403);
  });

  test('that drops an issuer refuses its tokens at once', async () => {
    await using other = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
    const config = { auth: { issuers: [{ url: other.url }] } };
    await reload({ notes: open }, config);
    expect((await ada.modern('tools/list')).status).toBe(401);
    const bob = await other.mint({ sub: 'bob', scope: 'mcp:test' });
    const response = await running.fetch('/mcp', {
      method: 'PUT',
      headers: { authorization: `Bearer ${bob}` },
    });
    expect(response.status).toBe(405);
  });
});

test('a configuration with problems is refused whole: nothing of it is taken over', async () => {
  await expect(
    running.reload(
      { notes: open },
      { limits: { calls_per_minute: -1 }, gateway: { origins: ['https://new.example'] } },
    ),
  ).rejects.toThrow('calls_per_minute');
  const preflight = await running.fetch('/mcp', {
    method: 'OPTIONS',
    headers: { origin: 'https://new.example' },
  });
  expect(preflight.status).toBe(403);
  expect(await owned()).toEqual(['notes_get_help', 'notes_open']);
});
