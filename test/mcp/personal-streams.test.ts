import { describe, expect, test } from 'vitest';
import type { PersonalCatalog } from '#backends/backend.ts';
import { prompt, resource, template, tool } from '../catalog/samples.ts';
import type { EventReader } from '../support/event-reader.ts';
import { createScriptedServer, listed } from '../support/scripted-server.ts';
import { createEdge } from './support/edge.ts';

const scopes = ['mcp:lin'];
const everything = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
const quietMs = 80;
const first = { tools: [tool('a', { scopes })], prompts: [prompt('p', scopes)] };
const uri = 'lin://lin/1';
const withResource = listed({
  resources: [resource(uri, scopes)],
  resourceTemplates: [template('lin://lin/t/{id}', scopes)],
});

async function linear() {
  const server = createScriptedServer('lin');
  const edge = await createEdge({ servers: [{ server }] });
  for (const subject of ['ada', 'bob']) server.lists(subject, listed(first));
  return {
    server,
    edge,
    ada: edge.caller('ada', 'mcp:lin'),
    bob: edge.caller('bob', 'mcp:lin'),
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  };
}
const told = async (stream: EventReader) => (await stream.within(quietMs)).map(({ method }) => method);

describe('list_changed of one person’s lists (R24, R44)', () => {
  test('reaches that person’s streams alone, of both eras, and names what changed', async () => {
    await using world = await linear();
    const session = await world.ada.initialize();
    const bobs = await world.bob.initialize();
    const streams = await Promise.all([
      world.ada.listen(everything),
      session.events(),
      world.ada.listen({ promptsListChanged: true }),
      world.bob.listen(everything),
      bobs.events(),
    ]);
    await Promise.all(streams.map((stream) => stream.within(20)));
    world.server.lists('ada', listed({ ...first, tools: [tool('b', { scopes })] }));
    world.edge.personalChanged('lin', 'ada');
    const news = await Promise.all(streams.map(told));
    const changed = ['notifications/tools/list_changed'];
    expect(news).toEqual([changed, changed, [], [], []]);
    for (const stream of streams) await stream.close();
  });

  test('follows the linking', async () => {
    await using world = await linear();
    world.server.lists('ada', { kind: 'unlinked' });
    const events = await world.ada.listen(everything);
    await events.next();
    world.server.lists('ada', listed(first));
    world.edge.personalChanged('lin', 'ada');
    expect(await told(events)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    world.server.lists('ada', { kind: 'unlinked' });
    world.edge.personalChanged('lin', 'ada');
    expect(await told(events)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    await events.close();
  });

  test('waits until the server has told the lists of the account that was just linked', async () => {
    await using world = await linear();
    world.server.lists('ada', { kind: 'unlinked' });
    const events = await world.ada.listen(everything);
    await events.next();
    const { promise, resolve } = Promise.withResolvers<PersonalCatalog>();
    world.server.lists('ada', undefined, promise);
    world.edge.personalChanged('lin', 'ada');
    await Bun.sleep(60);
    resolve(listed(first));
    expect(await told(events)).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    world.edge.personalChanged('lin', 'ada');
    expect(await told(events)).toEqual([]);
    await events.close();
  });

  test('a new catalog asks no server for anybody’s lists, and what is not known any more is no change', async () => {
    await using world = await linear();
    const events = await world.ada.listen(everything);
    await events.next();
    const asked = world.server.refreshed.length;
    world.server.lists('ada', undefined);
    world.edge.deps.streams.catalogChanged({ ...world.edge.deps.snapshot(), generation: -1 });
    expect(await told(events)).toEqual([]);
    expect(world.server.refreshed.length).toBe(asked);
    await events.close();
  });

  test('is not sent where nothing that this person sees changed, and once for many changes', async () => {
    await using world = await linear();
    const events = await world.ada.listen(everything);
    await events.next();
    world.edge.personalChanged('lin', 'ada');
    world.server.lists(
      'ada',
      listed({ ...first, tools: [...first.tools, tool('secret', { scopes: ['x'] })] }),
    );
    world.edge.personalChanged('lin', 'ada');
    expect(await told(events)).toEqual([]);
    for (const name of ['b', 'c', 'd']) {
      world.server.lists('ada', listed({ ...first, tools: [tool(name, { scopes })] }));
      world.edge.personalChanged('lin', 'ada');
    }
    expect(await told(events)).toEqual(['notifications/tools/list_changed']);
    await events.close();
  });

  test('is not sent for lists that were asked for when the stream was opened', async () => {
    await using world = await linear();
    world.server.lists('ada', undefined, listed(first));
    const session = await world.ada.initialize();
    const events = await session.events();
    await session.request('tools/list');
    world.edge.personalChanged('lin', 'ada');
    expect(await told(events)).toEqual([]);
    await events.close();
  });

  test('heeds the choice with which the stream was opened', async () => {
    await using world = await linear();
    const other = await world.ada.listen(everything, { search: '?backends=other' });
    const search = await world.ada.listen(everything, { search: '?mode=search' });
    await Promise.all([other.next(), search.next()]);
    const wire = { inputSchema: { type: 'object', properties: { q: { type: 'string' } } } };
    world.server.lists('ada', listed({ ...first, tools: [tool('a', { scopes, wire })] }));
    world.edge.personalChanged('lin', 'ada');
    expect(await told(search)).toEqual(['notifications/tools/list_changed']);
    expect(await told(other)).toEqual([]);
    for (const stream of [other, search]) await stream.close();
  });
});

describe('resources that a stream follows at a server (R23, R31)', () => {
  const updated = 'notifications/resources/updated';

  test('are followed while subscriptions/listen lasts, as far as they may be read', async () => {
    await using world = await linear();
    world.server.lists('ada', withResource);
    const events = await world.ada.listen({
      resourceSubscriptions: [uri, 'lin://lin/t/7', 'lin://lin/none', 'cortex://architecture'],
    });
    expect((await events.next()).params).toMatchObject({
      notifications: { resourceSubscriptions: [uri, 'lin://lin/t/7', 'cortex://architecture'] },
    });
    expect([...world.server.followed]).toEqual([`ada ${uri}`, 'ada lin://lin/t/7']);
    world.edge.resourceUpdated('lin', uri, 'ada');
    expect(await events.nextOf(updated)).toMatchObject({ params: { uri } });
    await events.close();
    await Bun.sleep(20);
    expect(world.server.followed).toEqual([]);
  });

  test('an update for one person reaches that person’s streams alone; one for all, everyone who follows', async () => {
    await using world = await linear();
    for (const subject of ['ada', 'bob']) world.server.lists(subject, withResource);
    const adas = await world.ada.listen({ resourceSubscriptions: [uri] });
    const bobs = await world.bob.listen({ resourceSubscriptions: [uri] });
    await Promise.all([adas.next(), bobs.next()]);
    world.edge.resourceUpdated('lin', uri, 'ada');
    expect([await told(adas), await told(bobs)]).toEqual([[updated], []]);
    world.edge.resourceUpdated('lin', uri);
    expect([await told(adas), await told(bobs)]).toEqual([[updated], [updated]]);
    for (const stream of [adas, bobs]) await stream.close();
  });

  test('a server cannot say that what is another’s has changed', async () => {
    await using world = await linear();
    world.server.lists('ada', withResource);
    const events = await world.ada.listen({ resourceSubscriptions: [uri, 'cortex://architecture'] });
    await events.next();
    world.edge.resourceUpdated('other', uri, 'ada');
    world.edge.resourceUpdated('lin', 'cortex://architecture');
    expect(await told(events)).toEqual([]);
    await events.close();
  });

  test('are followed anew with the account that is linked now', async () => {
    await using world = await linear();
    world.server.lists('ada', withResource);
    const events = await world.ada.listen({ resourceSubscriptions: [uri] });
    await events.next();
    const before = world.server.follows;
    world.edge.personalChanged('lin', 'ada');
    await Bun.sleep(60);
    expect([world.server.follows, [...world.server.followed]]).toEqual([before + 1, [`ada ${uri}`]]);
    await events.close();
  });

  test('are followed for a legacy session while its stream is open, and as it subscribes', async () => {
    await using world = await linear();
    world.server.lists('ada', withResource);
    const session = await world.ada.initialize();
    await session.request('resources/subscribe', { uri });
    expect(world.server.followed).toEqual([]);
    const events = await session.events();
    expect([...world.server.followed]).toEqual([`ada ${uri}`]);
    await session.request('resources/subscribe', { uri: 'lin://lin/t/1' });
    expect([...world.server.followed]).toEqual([`ada ${uri}`, 'ada lin://lin/t/1']);
    await session.request('resources/unsubscribe', { uri });
    expect([...world.server.followed]).toEqual(['ada lin://lin/t/1']);
    world.edge.resourceUpdated('lin', 'lin://lin/t/1', 'ada');
    expect((await events.nextOf(updated)).params).toEqual({ uri: 'lin://lin/t/1' });
    const newer = await session.events();
    expect([...world.server.followed]).toEqual(['ada lin://lin/t/1']);
    await session.end();
    expect(world.server.followed).toEqual([]);
    for (const stream of [events, newer]) await stream.close();
  });

  test('what may not be read any more is followed no longer, and nothing of it is told', async () => {
    await using world = await linear();
    world.server.lists('ada', withResource);
    const events = await world.ada.listen({ resourceSubscriptions: [uri] });
    await events.next();
    world.server.lists('ada', { kind: 'unlinked' });
    world.edge.personalChanged('lin', 'ada');
    await Bun.sleep(40);
    expect(world.server.followed).toEqual([]);
    world.edge.resourceUpdated('lin', uri, 'ada');
    expect(await told(events)).toEqual([]);
    await events.close();
  });
});
