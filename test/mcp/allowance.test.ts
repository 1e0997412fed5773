import { describe, expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';

const tools = [
  { name: 'a', scope: 'mcp:test' },
  { name: 'b', scope: 'mcp:test' },
];
const notes = { tools };

describe('rates (R32)', () => {
  test('are per principal: whoever is over has to wait, and is told how long', async () => {
    await using running = await runGateway({
      backends: { notes },
      config: { limits: { calls_per_minute: 6 } },
    });
    const ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
    for (let call = 0; call < 6; call++) expect((await ada.modern('tools/list')).status).toBe(200);
    const refused = await ada.modern('tools/list');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(refused.message).toEqual({
      jsonrpc: '2.0',
      error: {
        code: -32000,
        message: 'Rate limit reached: try again in 10 s',
        data: { retryAfterSeconds: 10 },
      },
    });
    const otherToken = await running.caller({ sub: 'ada', scope: 'mcp:test', client_id: 'other' });
    expect((await otherToken.modern('tools/list')).status).toBe(429);
    const bob = await running.caller({ sub: 'bob', scope: 'mcp:test' });
    expect((await bob.modern('tools/list')).status).toBe(200);
    running.clock.advance(10_000);
    expect((await ada.modern('tools/list')).status).toBe(200);
    expect((await ada.modern('tools/list')).status).toBe(429);
  });

  test('of a plan count in place of the common one', async () => {
    await using running = await runGateway({
      config: {
        plans: { pro: ['mcp:pro'] },
        limits: { calls_per_minute: 1, plan_calls_per_minute: { pro: 3 } },
      },
    });
    const pro = await running.caller({ sub: 'pro', scope: 'mcp:pro' });
    const free = await running.caller({ sub: 'free' });
    const statuses = async (caller: typeof pro) =>
      (await Promise.all(Array.from({ length: 4 }, () => caller.modern('ping'))))
        .map(({ status }) => status)
        .sort();
    expect(await statuses(pro)).toEqual([404, 404, 404, 429]);
    expect(await statuses(free)).toEqual([404, 429, 429, 429]);
  });

  test('of tools count by the first pattern that matches, in both eras and under a former name', async () => {
    const limits = { tool_calls_per_minute: { '*_a': 2, 'notes_*': 1, 'n_*': 1 } };
    await using running = await runGateway({ backends: { notes }, config: { limits } });
    const ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
    const session = await ada.initialize();
    expect((await ada.tool('notes_a')).status).toBe(200);
    expect((await session.tool('notes_a')).status).toBe(200);
    const refused = await session.tool('notes_a', {}, { id: 4 });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.message).toMatchObject({
      id: 4,
      error: { code: -32000, data: { retryAfterSeconds: 30 } },
    });
    expect((await ada.tool('notes_b')).status).toBe(200);
    expect((await ada.tool('notes_b')).status).toBe(429);
    expect((await ada.tool('whoami')).status).toBe(200);
    expect(running.backend('notes').callsOf('a')).toHaveLength(2);
    await running.reload({ notes: { ...notes, config: { prefix: 'n' } } }, { limits });
    await running.gateway.catalog.poll();
    expect((await ada.tool('notes_a')).status).toBe(429);
  });

  test('of 0 set no limit', async () => {
    await using running = await runGateway({
      backends: { notes },
      config: {
        plans: { pro: ['mcp:test'] },
        limits: { calls_per_minute: 0, tool_calls_per_minute: { notes_a: 0, '*': 1 } },
      },
    });
    const ada = await running.caller({ scope: 'mcp:test' });
    for (let call = 0; call < 5; call++) expect((await ada.tool('notes_a')).status).toBe(200);
    expect((await ada.tool('notes_b')).status).toBe(200);
    expect((await ada.tool('notes_b')).status).toBe(429);
  });

  test('count each message of a batch', async () => {
    await using running = await runGateway({ config: { limits: { calls_per_minute: 10 } } });
    const session = await (await running.caller({})).initialize({ revision: '2025-03-26' });
    const batch = (size: number) =>
      session.post(Array.from({ length: size }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' })));
    expect((await batch(8)).status).toBe(200);
    expect((await batch(8)).status).toBe(429);
    running.clock.advance(60_000);
    expect((await batch(10)).status).toBe(200);
  });

  test('one user cannot use up another’s, however many users there are', async () => {
    await using running = await runGateway({ config: { limits: { calls_per_minute: 1 } } });
    for (let user = 0; user < 20; user++) {
      const caller = await running.caller({ sub: `user-${user}` });
      expect([(await caller.modern('ping')).status, (await caller.modern('ping')).status]).toEqual([
        404, 429,
      ]);
    }
  });
});

test('a result beyond the cap is an isError result that says so, not an empty success (R32)', async () => {
  await using running = await runGateway({ backends: { notes: { tools, config: { max_result: '2KB' } } } });
  running.backend('notes').answer('a', () => Response.json({ rows: 'x'.repeat(3_000) }));
  const answer = await (await running.caller({ scope: 'mcp:test' })).tool('notes_a');
  expect(answer.isError).toBe(true);
  expect(answer.said).toContain('too large');
});
