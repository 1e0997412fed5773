import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventReader } from '../support/event-reader.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const open = { name: 'open', scope: 'mcp:test' };
let running: RunningGateway;
beforeEach(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [open],
        technicalToken: 'token-of-notes',
        resources: [
          { uri: 'note://1', name: 'One', scope: 'mcp:test' },
          { uri: 'note://secret', name: 'S', scope: 'mcp:more' },
        ],
      },
      billing: {
        tools: [open],
        technicalToken: 'token-of-billing',
        resources: [{ uri: 'bill://1', name: 'One', scope: 'mcp:test' }],
      },
      twin: { tools: [open], technicalToken: 'token-of-billing' },
    },
  });
  // The first poll of the start is more than a second ago.
  running.clock.advance(2_000);
});
afterEach(() => running.close());

const poke = (token: string | undefined, body?: unknown, init: RequestInit = {}) =>
  running.fetch('/catalog/changed', {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...init,
  });
const polls = (id: string) => running.backend(id).callsOf('list_tools').length;
async function untilPolled(id: string, count: number): Promise<void> {
  for (let waited = 0; polls(id) < count; waited += 10) {
    if (waited > 3_000) throw new Error(`${id} was polled ${polls(id)} times`);
    await Bun.sleep(10);
  }
}

describe('POST /catalog/changed', () => {
  test('polls the backends of that token at once, and no other', async () => {
    const answer = await poke('token-of-billing');
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 2 }]);
    for (const id of ['billing', 'twin']) await untilPolled(id, 2);
    expect(polls('notes')).toBe(1);
  });

  test('polls the one that is named, if the token is its own', async () => {
    expect(await (await poke('token-of-billing', { backend: 'twin' })).json()).toEqual({ accepted: 1 });
    await untilPolled('twin', 2);
    const foreign = await poke('token-of-billing', { backend: 'notes' });
    const unknown = await poke('token-of-billing', { backend: 'nothing' });
    expect(foreign.status).toBe(403);
    expect([unknown.status, await unknown.text()]).toEqual([403, await foreign.text()]);
    await Bun.sleep(50);
    expect([polls('notes'), polls('billing')]).toEqual([1, 1]);
  });

  test.each([
    [undefined, undefined, 401],
    ['wrong', undefined, 401],
    ['', undefined, 401],
    ['token-of-notes', '{', 400],
    ['token-of-notes', '[]', 400],
    ['token-of-notes', JSON.stringify({ pad: 'x'.repeat(70_000) }), 413],
    ['token-of-notes', '  ', 202],
    ['token-of-notes', { changed: ['tools'], more: 1 }, 202],
  ])('with the token %s and the body %s is %i', async (token, body, status) => {
    expect((await poke(token, body)).status).toBe(status);
  });

  test('knows no user’s token, no other scheme and no other verb', async () => {
    const user = await running.issuer.mint({ scope: 'mcp:test' });
    expect((await poke(user)).status).toBe(401);
    expect(
      (await poke(undefined, undefined, { headers: { authorization: 'Basic token-of-notes' } })).status,
    ).toBe(401);
    const get = await running.fetch('/catalog/changed', {
      headers: { authorization: 'Bearer token-of-notes' },
    });
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect(polls('notes')).toBe(1);
  });

  test('polls at most once a second, and the last poke is always served', async () => {
    for (let count = 0; count < 50; count++) expect((await poke('token-of-notes')).status).toBe(202);
    await untilPolled('notes', 2);
    await Bun.sleep(300);
    expect(polls('notes')).toBe(2);
    await untilPolled('notes', 3);
    await Bun.sleep(200);
    expect(polls('notes')).toBe(3);
  });

  test('a changed tool reaches a listener within a second (R24)', async () => {
    const ada = await running.caller({ scope: 'mcp:test' });
    const stream = await ada.listen({ toolsListChanged: true });
    await stream.next();
    running.backend('notes').setTools([open, { name: 'new', scope: 'mcp:test' }]);
    await poke('token-of-notes', { changed: ['tools'] });
    expect((await stream.next(1_000)).method).toBe('notifications/tools/list_changed');
    await stream.close();
  });
});

describe('changed resources', () => {
  let modern: EventReader;
  let legacy: EventReader;
  let stranger: EventReader;
  beforeEach(async () => {
    const uris = ['note://1', 'note://secret', 'bill://1'];
    const ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
    modern = await ada.listen({ resourceSubscriptions: uris }, { id: 'sub' });
    await modern.next();
    const session = await ada.initialize();
    legacy = await session.events();
    for (const uri of ['note://1', 'bill://1']) await session.request('resources/subscribe', { uri });
    stranger = await (await running.caller({ sub: 'stranger' })).listen({ resourceSubscriptions: uris });
    await stranger.next();
  });
  afterEach(async () => {
    for (const stream of [modern, legacy, stranger]) await stream.close();
  });
  const method = 'notifications/resources/updated';

  test('are told to who follows them in either era and may read them, and cause no poll', async () => {
    await poke('token-of-notes', { resources: ['note://1', 'note://secret', 'note://unknown'] });
    const meta = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
    expect(await modern.within(100)).toEqual([
      { jsonrpc: '2.0', method, params: { uri: 'note://1', _meta: meta } },
    ]);
    expect(await legacy.within(0)).toEqual([{ jsonrpc: '2.0', method, params: { uri: 'note://1' } }]);
    expect(await stranger.within(0)).toEqual([]);
    expect(polls('notes')).toBe(1);
    await poke('token-of-notes', { resources: ['note://1'], changed: ['tools'] });
    await untilPolled('notes', 2);
  });

  test('of another backend are ignored: a token speaks for its own URIs alone', async () => {
    await poke('token-of-billing', { resources: ['note://1'] });
    expect(await modern.within(100)).toEqual([]);
    await poke('token-of-billing', { resources: ['BILL://1', 'bill://1', 7] });
    await poke('token-of-billing', { resources: ['bill://1'] });
    expect((await modern.next()).params).toMatchObject({ uri: 'bill://1' });
  });

  test('are told no longer once unsubscribed, or once the scope is gone from the resource', async () => {
    running
      .backend('notes')
      .answer('list_resources', () =>
        Response.json({ resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:more' }] }),
      );
    await running.gateway.catalog.poll();
    await modern.within(400);
    await legacy.within(0);
    await poke('token-of-notes', { resources: ['note://1'] });
    expect(await modern.within(100)).toEqual([]);
    expect(await legacy.within(0)).toEqual([]);
  });
});
