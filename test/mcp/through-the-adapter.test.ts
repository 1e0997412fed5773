import { describe, expect, test } from 'vitest';
import type { Era } from '#wire/protocol.ts';
import { namesIn, objectAt } from '../support/mcp-caller.ts';
import { createAdapted } from './support/adapted.ts';
import { startTalkingServer, type TalkingServer } from './support/talking-server.ts';

const tokens = { ada: 'token-of-ada', bob: 'token-of-bob' };
const eras: readonly Era[] = ['modern', 'legacy'];
const combinations = eras.flatMap((client) => eras.map((server) => ({ client, server })));

function talking(era: Era): TalkingServer {
  const server = startTalkingServer(era);
  server.lists('token-of-ada', 'own_of_ada', 'ask');
  server.lists('token-of-bob', 'own_of_bob');
  return server;
}
const ownTools = (names: readonly string[]) => names.filter((name) => name.startsWith('srv_'));

describe.each(combinations)(
  'a $client client of a server of the $server era (R30)',
  ({ client, server: era }) => {
    test('sees and uses what its own account has there (R44)', async () => {
      await using server = talking(era);
      await using world = await createAdapted(server.url, tokens);
      const [ada, bob] = [world.edge.caller('ada', 'mcp:srv'), world.edge.caller('bob', 'mcp:srv')];
      const adas = client === 'legacy' ? (await ada.initialize()).request : ada.modern;
      const bobs = client === 'legacy' ? (await bob.initialize()).request : bob.modern;
      expect(ownTools(namesIn(await adas('tools/list'), 'tools'))).toEqual(['srv_ask', 'srv_own_of_ada']);
      expect(ownTools(namesIn(await bobs('tools/list'), 'tools'))).toEqual(['srv_own_of_bob']);
      expect(
        (await adas('tools/call', { name: 'srv_own_of_ada', arguments: { requestState: 1 } })).said,
      ).toBe('own_of_ada for token-of-ada {"requestState":1}');
      expect((await bobs('tools/call', { name: 'srv_own_of_ada', arguments: {} })).error.code).toBe(-32602);
      expect(namesIn(await adas('resources/list'), 'resources', 'uri')).toContain('note://srv/1');
      expect((await adas('resources/read', { uri: 'note://srv/9' })).text).toContain(
        '"uri":"note://srv/9","text":"token-of-ada"',
      );
      expect((await adas('prompts/get', { name: 'srv_greet' })).text).toContain('token-of-ada');
      const ref = { type: 'ref/resource', uri: 'note://srv/{id}' };
      const completed = await adas('completion/complete', { ref, argument: { name: 'id', value: '' } });
      expect(completed.text).toContain('note://{id}');
    });

    test('links, and the very same call goes through (R45)', async () => {
      await using server = talking(era);
      await using world = await createAdapted(server.url, {});
      const capabilities = { elicitation: { url: {} } };
      const ada = world.edge.caller('ada', 'mcp:srv');
      const params = { name: 'srv_own_of_ada', arguments: { a: 1 } };
      if (client === 'legacy') {
        const session = await ada.initialize({ capabilities });
        const events = await session.events();
        expect((await session.request('tools/call', params)).error.code).toBe(-32042);
        world.link('ada', tokens.ada);
        await events.nextOf('notifications/elicitation/complete');
        expect((await session.request('tools/call', params)).said).toContain('token-of-ada');
        await events.close();
        return;
      }
      const events = await ada.listen({ toolsListChanged: true });
      const asked = await ada.modern('tools/call', params, { capabilities });
      expect(asked.result.resultType).toBe('input_required');
      world.link('ada', tokens.ada);
      const requestState = String(asked.result.requestState);
      const retry = { ...params, requestState, inputResponses: { link: { action: 'accept' } } };
      expect((await ada.modern('tools/call', retry, { capabilities })).said).toContain('token-of-ada');
      await events.nextOf('notifications/tools/list_changed');
      expect(ownTools(namesIn(await ada.modern('tools/list'), 'tools'))).toContain('srv_own_of_ada');
      world.link('ada', undefined);
      await events.nextOf('notifications/tools/list_changed');
      expect(ownTools(namesIn(await ada.modern('tools/list'), 'tools'))).toEqual(['srv_link']);
      await events.close();
    });

    test('is asked by it, and answers (R27, R29)', async () => {
      await using server = talking(era);
      await using world = await createAdapted(server.url, tokens);
      const capabilities = { elicitation: {} };
      const ada = world.edge.caller('ada', 'mcp:srv');
      const params = { name: 'srv_ask', arguments: {} };
      const answer = { action: 'accept', content: { name: 'Ada' } };
      if (client === 'legacy') {
        const session = await ada.initialize({ capabilities });
        const stream = await session.stream('tools/call', params);
        const asked = await stream.next();
        expect(asked).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });
        await session.respond(asked.id, answer);
        expect(JSON.stringify(await stream.next())).toContain('Ada');
        return;
      }
      const asked = await ada.modern('tools/call', params, { capabilities });
      const [[key = '', question] = []] = Object.entries(objectAt(asked.result, 'inputRequests'));
      expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });
      const requestState = String(asked.result.requestState);
      const bob = world.edge.caller('bob', 'mcp:srv');
      const retry = { ...params, requestState, inputResponses: { [key]: answer } };
      expect((await bob.modern('tools/call', retry, { capabilities })).error.code).toBe(-32602);
      expect((await ada.modern('tools/call', retry, { capabilities })).said).toContain('Ada');
      const again = await ada.modern('tools/call', retry, { capabilities });
      // A parked question is answered once; a state that the server gave us can be shown to it twice.
      expect(again.error.code ?? again.said).toEqual(
        era === 'legacy' ? -32602 : expect.stringContaining('Ada'),
      );
    });

    test('is never asked what it did not declare', async () => {
      await using server = talking(era);
      await using world = await createAdapted(server.url, tokens);
      const capabilities = { sampling: {}, elicitation: { url: {} } };
      const ada = world.edge.caller('ada', 'mcp:srv');
      const params = { name: 'srv_ask', arguments: {} };
      const answer =
        client === 'legacy'
          ? await (await ada.initialize({ capabilities })).request('tools/call', params)
          : await ada.modern('tools/call', params, { capabilities });
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.result.resultType).not.toBe('input_required');
      expect(answer.text).not.toContain('"inputRequests"');
    });

    test('hears of changes to its own lists and resources, and no other person does (R24, R48)', async () => {
      await using server = talking(era);
      await using world = await createAdapted(server.url, tokens);
      const [ada, bob] = [world.edge.caller('ada', 'mcp:srv'), world.edge.caller('bob', 'mcp:srv')];
      const open = async (caller: typeof ada) => {
        if (client === 'modern')
          return caller.listen({ toolsListChanged: true, resourceSubscriptions: ['note://srv/1'] });
        const session = await caller.initialize();
        await session.request('resources/subscribe', { uri: 'note://srv/1' });
        return session.events();
      };
      const [adas, bobs] = [await open(ada), await open(bob)];
      if (client === 'modern') await Promise.all([adas.next(), bobs.next()]);
      server.lists('token-of-ada', 'own_of_ada', 'ask', 'new');
      await server.tell('token-of-ada', 'notifications/tools/list_changed');
      await adas.nextOf('notifications/tools/list_changed');
      expect(ownTools(namesIn(await ada.modern('tools/list'), 'tools'))).toContain('srv_new');
      await server.tell('token-of-ada', 'notifications/resources/updated', { uri: 'note://1' });
      expect(objectAt(await adas.nextOf('notifications/resources/updated'), 'params').uri).toBe(
        'note://srv/1',
      );
      expect(await bobs.within(50)).toEqual([]);
      for (const stream of [adas, bobs]) await stream.close();
    });
  },
);

test('the users’ own tokens, and nothing of ours, reach the server (R38)', async () => {
  await using server = talking('modern');
  await using world = await createAdapted(server.url, tokens);
  const ada = world.edge.caller('ada', 'mcp:srv');
  await ada.modern('tools/list');
  await ada.tool('srv_own_of_ada');
  const seen = server.requests.map(({ headers, body }) => JSON.stringify([...headers]) + body).join('\n');
  expect(seen).not.toContain(ada.token);
  expect(seen.toLowerCase()).not.toMatch(/x-cortex|ada@example|issuer\.example/);
});
