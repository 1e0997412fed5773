import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type McpCaller, namesIn } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

const open = { tools: [{ name: 'open', scope: 'mcp:test' }], resources: [] };
let running: RunningGateway;
let ada: McpCaller;
beforeEach(async () => {
  running = await runGateway({
    backends: { dead: { ...open, config: { timeout: '2s' } }, alive: open },
    config: { limits: { poll_timeout: '1s' } },
  });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterEach(() => running.close());
const own = async () =>
  namesIn(await ada.modern('tools/list'), 'tools').filter((name) => name.endsWith('_open'));

describe('a backend that dies (R22)', () => {
  test('fails no list: its last good tools stay, and a call to it is an isError result that says so', async () => {
    await running.backend('dead').close();
    await running.gateway.catalog.poll();
    expect(await own()).toEqual(['alive_open', 'dead_open']);
    expect((await ada.modern('tools/list')).result.ttlMs).toBe(0);
    const call = await ada.tool('dead_open');
    expect([call.status, call.isError]).toEqual([200, true]);
    expect(call.text).toContain('"reason":"unreachable"');
    expect((await ada.tool('alive_open')).isError).toBe(false);
  });

  test('or hangs holds nothing up but itself', async () => {
    running.backend('dead').answer('open', () => new Promise(() => {}));
    running.backend('dead').answer('list_tools', () => new Promise(() => {}));
    const hanging = Array.from({ length: 20 }, () => ada.tool('dead_open'));
    const elapsedMs = stopwatch();
    for (let call = 0; call < 20; call++) expect((await ada.tool('alive_open')).isError).toBe(false);
    expect(await own()).toEqual(['alive_open', 'dead_open']);
    expect(elapsedMs()).toBeLessThan(1_500);
    for (const answer of await Promise.all(hanging)) expect(answer.isError).toBe(true);
    await running.gateway.catalog.poll();
    expect(await own()).toEqual(['alive_open', 'dead_open']);
  });

  test('and fails again and again is not asked for a while; one user’s business errors do not do that', async () => {
    running.backend('dead').answer('open', () => Response.json({ error: 'no' }, { status: 500 }));
    for (let call = 0; call < 10; call++) expect((await ada.tool('dead_open')).said).toBe('no');
    running.backend('dead').answer('open', () => new Response('', { status: 502 }));
    for (let call = 0; call < 10; call++) await ada.tool('dead_open');
    const asked = running.backend('dead').callsOf('open').length;
    expect((await ada.tool('dead_open')).text).toContain('"reason":"breaker_open"');
    expect(running.backend('dead').callsOf('open')).toHaveLength(asked);
    running.backend('dead').answer('open', () => Response.json({ back: true }));
    running.clock.advance(6_000);
    expect((await ada.tool('dead_open')).said).toBe('{"back":true}');
  });
});
