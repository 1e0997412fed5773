import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import type { EventReader } from '../support/event-reader.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

const open = { name: 'open', scope: 'mcp:test' };
const everything = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
const idKey = 'io.modelcontextprotocol/subscriptionId';
let running: RunningGateway;
let ada: McpCaller;

beforeEach(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [open],
        resources: [
          { uri: 'note://1', name: 'One', scope: 'mcp:test' },
          { uri: 'note://2', name: 'Two', scope: 'mcp:more' },
        ],
        resourceTemplates: [{ uriTemplate: 'note://t/{id}', name: 'T', scope: 'mcp:test' }],
      },
      other: { tools: [{ name: 'x', scope: 'mcp:other' }] },
    },
  });
  ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
});
afterEach(() => running.close());

async function change(tools: readonly object[], id = 'notes'): Promise<void> {
  running.backend(id).setTools(tools);
  await running.gateway.catalog.poll();
}
const methodsOf = (messages: readonly JsonObject[]) => messages.map(({ method }) => method);
const quietMs = 350;

describe('subscriptions/listen (R23)', () => {
  test('is acknowledged first, with what is honoured of the filter and nothing else', async () => {
    const stream = await ada.listen(
      {
        ...everything,
        promptsListChanged: false,
        unknown: true,
        resourceSubscriptions: ['note://1', 'note://2', 'note://t/9', 'note://none', 'cortex://architecture'],
      },
      { id: 'my-id' },
    );
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: {
          toolsListChanged: true,
          resourcesListChanged: true,
          resourceSubscriptions: ['note://1', 'note://t/9', 'cortex://architecture'],
        },
        _meta: { [idKey]: 'my-id' },
      },
    });
    await stream.close();
  });

  test('an empty filter is acknowledged as such, and hears nothing', async () => {
    const stream = await ada.listen({}, { id: 0 });
    expect((await stream.next()).params).toEqual({ notifications: {}, _meta: { [idKey]: 0 } });
    await change([open, { name: 'new', scope: 'mcp:test' }]);
    expect(await stream.within(quietMs)).toEqual([]);
    await stream.close();
  });

  test.each([
    { notifications: [] },
    { notifications: { resourceSubscriptions: 'note://1' } },
    { notifications: { resourceSubscriptions: [1] } },
  ])('the filter %j is 400 and -32602', async (params) => {
    const answer = await ada.modern('subscriptions/listen', params);
    expect([answer.status, answer.error.code]).toEqual([400, -32602]);
  });

  test('a change is told once, with the id, to whoever asked for that kind', async () => {
    const tools = await ada.listen({ toolsListChanged: true }, { id: 7 });
    const prompts = await ada.listen({ promptsListChanged: true });
    for (const stream of [tools, prompts]) await stream.next();
    for (const name of ['a', 'b', 'c']) await change([open, { name, scope: 'mcp:test' }]);
    expect(await tools.within(quietMs)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: { [idKey]: 7 } } },
    ]);
    expect(await prompts.within(0)).toEqual([]);
    for (const stream of [tools, prompts]) await stream.close();
  });

  test('ends with a result when the gateway stops', async () => {
    const stream = await ada.listen(everything, { id: 3 });
    await stream.next();
    await running.gateway.drain(1_000);
    expect(await stream.rest()).toEqual([
      {
        jsonrpc: '2.0',
        id: 3,
        result: {
          resultType: 'complete',
          _meta: {
            [idKey]: 3,
            'io.modelcontextprotocol/serverInfo': { name: 'cortex-gateway', version: '0.0.0-test' },
          },
        },
      },
    ]);
  });

  test('ends with a result when the token expires, and no later', async () => {
    const iat = Math.floor(Date.now() / 1000);
    const brief = await running.caller({ scope: 'mcp:test', iat, exp: iat + 600 });
    const [short, long] = [
      await brief.listen(everything, { id: 1 }),
      await ada.listen(everything, { id: 2 }),
    ];
    for (const stream of [short, long]) await stream.next();
    running.clock.advance(601_000);
    expect((await short.rest())[0]).toMatchObject({ id: 1, result: { resultType: 'complete' } });
    expect(long.hasEnded).toBe(false);
    await long.close();
  });

  test('is bounded by principal, and a closed one makes room', async () => {
    await running.close();
    running = await runGateway({ config: { limits: { streams_per_principal: 2 } } });
    ada = await running.caller({ sub: 'ada', scope: '' });
    const streams = [await ada.listen({}), await ada.listen({})];
    const refused = await ada.modern('subscriptions/listen');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    const bob = await (await running.caller({ sub: 'bob' })).listen({});
    await streams[0]?.close();
    const next = await ada.listen({});
    expect((await next.next()).method).toBe('notifications/subscriptions/acknowledged');
    for (const stream of [...streams.slice(1), bob, next]) await stream.close();
  });
});

describe.each(['modern', 'legacy'] as const)('list_changed to a %s client (R24)', (era) => {
  async function listener(claims: Readonly<Record<string, string>>): Promise<EventReader> {
    const caller = await running.caller(claims);
    if (era === 'legacy') return (await caller.initialize()).events();
    const stream = await caller.listen(everything);
    await stream.next();
    return stream;
  }

  test('reaches the entitled within a second, and nobody else', async () => {
    const [reader, stranger, both] = await Promise.all([
      listener({ sub: 'reader', scope: 'mcp:test' }),
      listener({ sub: 'stranger', scope: 'mcp:other' }),
      listener({ sub: 'both', scope: 'mcp:test mcp:other' }),
    ]);
    const elapsedMs = stopwatch();
    await change([open, { name: 'new', scope: 'mcp:test' }]);
    await reader.nextOf('notifications/tools/list_changed');
    await both.nextOf('notifications/tools/list_changed');
    expect(elapsedMs()).toBeLessThan(1_000);
    expect(await stranger.within(quietMs)).toEqual([]);
    for (const stream of [reader, stranger, both]) await stream.close();
  });

  test('tells which lists changed: prompts and resources on their own', async () => {
    const reader = await listener({ scope: 'mcp:test' });
    running
      .backend('notes')
      .answer('list_prompts', () => Response.json({ prompts: [{ name: 'p', scope: 'mcp:test' }] }));
    await running.gateway.catalog.poll();
    expect(methodsOf(await reader.within(quietMs))).toEqual(['notifications/prompts/list_changed']);
    running
      .backend('notes')
      .answer('list_resource_templates', () => Response.json({ resourceTemplates: [] }));
    await running.gateway.catalog.poll();
    expect(methodsOf(await reader.within(quietMs))).toEqual(['notifications/resources/list_changed']);
    await reader.close();
  });

  test('is not sent when another’s tools changed, when nothing changed, or when a backend’s health merely flaps', async () => {
    const reader = await listener({ scope: 'mcp:test' });
    await change([{ name: 'x', scope: 'mcp:other', description: 'New words.' }], 'other');
    await change([open, { name: 'beyond', scope: 'mcp:more' }]);
    await running.gateway.catalog.poll();
    for (const status of [503, 200]) {
      running
        .backend('notes')
        .answer('list_tools', () =>
          status === 200
            ? Response.json({ tools: [open, { name: 'beyond', scope: 'mcp:more' }] })
            : new Response('', { status }),
        );
      await running.gateway.catalog.poll();
    }
    expect(await reader.within(quietMs)).toEqual([]);
    await reader.close();
  });

  test('a storm of changes that ends where it began is not told', async () => {
    const reader = await listener({ scope: 'mcp:test' });
    await change([open, { name: 'blip', scope: 'mcp:test' }]);
    await change([open]);
    expect(await reader.within(quietMs)).toEqual([]);
    await reader.close();
  });
});

test('ttlMs is 0 while a backend that the caller sees is degraded, and only for that caller (R17)', async () => {
  const other = await running.caller({ scope: 'mcp:other' });
  running.backend('notes').answer('list_tools', () => new Response('', { status: 503 }));
  await running.gateway.catalog.poll();
  expect((await ada.modern('tools/list')).result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
  expect((await ada.modern('server/discover')).result.ttlMs).toBe(0);
  expect((await other.modern('tools/list')).result.ttlMs).toBe(60_000);
});
