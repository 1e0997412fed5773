import { describe, expect, test } from 'vitest';
import type { PersonalCatalog } from '#backends/backend.ts';
import type { JsonValue } from '#kernel/json.ts';
import { ok } from '#kernel/result.ts';
import { catalogOf, listing, prompt, resource, template, tool } from '../catalog/samples.ts';
import { namesIn } from '../support/mcp-caller.ts';
import { createScriptedServer, listed } from '../support/scripted-server.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createEdge } from './support/edge.ts';

const scopes = ['mcp:lin'];
const notes = listing('notes', () =>
  Promise.resolve(
    ok({
      kind: 'catalog',
      catalog: catalogOf({ tools: [tool('list'), tool('zap')] }),
      etag: undefined,
      problems: [],
    }),
  ),
);
const mine = listed({
  tools: [tool('find.issue', { scopes }), tool('close', { scopes: ['mcp:lin:write'] })],
  prompts: [prompt('plan', scopes)],
  resources: [resource('lin://lin/1', scopes)],
  resourceTemplates: [template('lin://lin/{id}', scopes)],
});
const builtins = [
  'list_cortex_resources',
  'list_cortex_tickets',
  'read_cortex_resource',
  'report_missing_capability',
  'whoami',
];

async function linear(now?: PersonalCatalog, setup: Parameters<typeof createEdge>[0] = {}) {
  const server = createScriptedServer('lin');
  if (now !== undefined) server.lists('ada', now);
  const edge = await createEdge({ backends: [notes], servers: [{ server }], ...setup });
  return {
    server,
    edge,
    ada: edge.caller('ada', 'mcp:lin', 'read'),
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  };
}

describe('the lists of one person (R44)', () => {
  test('stand in the one order among those of everyone, in both eras (R16)', async () => {
    await using world = await linear(mine);
    const { ada } = world;
    const session = await ada.initialize();
    for (const ask of [ada.modern, session.request]) {
      expect(namesIn(await ask('tools/list'), 'tools')).toEqual(
        [...builtins, 'lin_find_issue', 'notes_list', 'notes_zap'].sort(),
      );
      expect(namesIn(await ask('prompts/list'), 'prompts')).toEqual(['lin_plan']);
      expect(namesIn(await ask('resources/list'), 'resources', 'uri')).toEqual([
        'cortex://architecture',
        'lin://lin/1',
      ]);
      expect(namesIn(await ask('resources/templates/list'), 'resourceTemplates', 'uriTemplate')).toEqual([
        'lin://lin/{id}',
      ]);
    }
  });

  test('are nobody else’s: another person with the same scopes sees its own', async () => {
    await using world = await linear(mine);
    world.server.lists('bob', listed({ tools: [tool('other', { scopes })] }));
    const bob = world.edge.caller('bob', 'mcp:lin', 'read');
    for (let round = 0; round < 2; round++) {
      expect(namesIn(await world.ada.modern('tools/list'), 'tools')).toContain('lin_find_issue');
      expect(
        namesIn(await bob.modern('tools/list'), 'tools').filter((name) => name.startsWith('lin')),
      ).toEqual(['lin_other']);
    }
    expect((await bob.tool('lin_find_issue')).error.code).toBe(-32602);
  });

  test('come page by page with those of everyone (R18)', async () => {
    await using world = await linear(mine, { pageSize: 3 });
    const seen: string[] = [];
    let cursor: JsonValue | undefined;
    do {
      const answer = await world.ada.modern('tools/list', cursor === undefined ? {} : { cursor });
      const names = namesIn(answer, 'tools');
      expect(names.length).toBeLessThanOrEqual(3);
      seen.push(...names);
      cursor = answer.result.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...builtins, 'lin_find_issue', 'notes_list', 'notes_zap'].sort());
    const asked = await world.ada.tool('list_cortex_resources');
    expect(asked.said).toContain('lin://lin/1');
    expect(asked.said).toContain('lin://lin/{id}');
  });

  test('are filtered by the choice in the URL, and short in search mode', async () => {
    await using world = await linear(mine);
    const chosen = await world.ada.modern('tools/list', {}, { search: '?backends=lin' });
    expect(namesIn(chosen, 'tools')).toEqual(['lin_find_issue', ...builtins].sort());
    const others = await world.ada.modern('tools/list', {}, { search: '?backends=notes' });
    expect(namesIn(others, 'tools')).not.toContain('lin_find_issue');
    const short = await world.ada.modern('tools/list', {}, { search: '?mode=search' });
    expect(namesIn(short, 'tools')).toContain('find_tools');
    expect(JSON.stringify(short.result.tools)).not.toContain('"properties":{}},"outputSchema"');
  });

  test('hide what a scope does not open', async () => {
    await using world = await linear(mine);
    const both = world.edge.caller('ada', 'mcp:lin', 'mcp:lin:write');
    expect(namesIn(await both.modern('tools/list'), 'tools')).toContain('lin_close');
    const hidden = await world.ada.tool('lin_close', {}, { id: 1 });
    const unknown = await world.ada.tool('lin_clos', {}, { id: 1 });
    expect(hidden.text).toBe(unknown.text.replace('lin_clos', 'lin_close'));
  });

  test('an output schema that is no object is left out for legacy clients (R21)', async () => {
    const schema = { type: 'array' } as const;
    const wire = { inputSchema: { type: 'object' }, outputSchema: schema };
    await using world = await linear(listed({ tools: [tool('x', { scopes, wire, hasOutputSchema: true })] }));
    const session = await world.ada.initialize();
    expect((await world.ada.modern('tools/list')).text).toContain('"outputSchema":{"type":"array"}');
    expect((await session.request('tools/list')).text).not.toContain('outputSchema');
  });
});

describe('lists that are not known yet', () => {
  test('are asked for before the first list is answered', async () => {
    await using world = await linear();
    world.server.lists('ada', undefined, mine);
    expect(namesIn(await world.ada.modern('tools/list'), 'tools')).toContain('lin_find_issue');
    expect(world.server.refreshed).toEqual(['ada']);
    await world.ada.modern('tools/list');
    expect(world.server.refreshed).toEqual(['ada']);
  });

  test('are asked for before a name is called unknown', async () => {
    await using world = await linear();
    world.server.lists('ada', undefined, mine);
    expect((await world.ada.tool('lin_find_issue')).said).toBe('find.issue');
  });

  test('that do not come in time fail nothing: the list is fresh for no time, and news follow (R22)', async () => {
    await using world = await linear();
    const { promise, resolve } = Promise.withResolvers<PersonalCatalog>();
    world.server.lists('ada', undefined, promise);
    const events = await world.ada.listen({ toolsListChanged: true });
    await events.next();
    const elapsedMs = stopwatch();
    const without = await world.ada.modern('tools/list');
    expect([without.status, without.result.ttlMs]).toEqual([200, 0]);
    expect(namesIn(without, 'tools')).toContain('notes_list');
    expect(elapsedMs()).toBeLessThan(80);
    resolve(mine);
    await events.nextOf('notifications/tools/list_changed');
    const after = await world.ada.modern('tools/list');
    expect(namesIn(after, 'tools')).toContain('lin_find_issue');
    expect(after.result.ttlMs).toBe(60_000);
    await events.close();
  });

  test('are never asked for where no scope opens the server, nor for what is listed to all', async () => {
    await using world = await linear();
    const eve = world.edge.caller('eve', 'read');
    await eve.modern('tools/list');
    await eve.tool('lin_link');
    await eve.tool('notes_list');
    await world.ada.tool('whoami', {}, { search: '?backends=none' });
    expect(world.server.refreshed.filter((subject) => subject === 'eve')).toEqual([]);
  });

  test('that throw are as those of a server that does not answer', async () => {
    await using world = await linear();
    world.server.lists('ada', undefined, Promise.reject(new Error('a bug')));
    const answer = await world.ada.modern('tools/list');
    expect([answer.status, answer.result.ttlMs]).toEqual([200, 0]);
  });
});

describe('what else is said of a server', () => {
  test('stale lists stay, and nothing is fresh for long', async () => {
    await using world = await linear(listed({ tools: [tool('x', { scopes })] }, true));
    const answer = await world.ada.modern('tools/list');
    expect([namesIn(answer, 'tools').includes('lin_x'), answer.result.ttlMs]).toEqual([true, 0]);
    const page = await world.ada.modern('resources/read', { uri: 'cortex://architecture' });
    expect(page.text).toContain('**lin** (not answering at the moment): 1 tool');
  });

  test('instructions, discovery and the page tell of it to who sees it', async () => {
    await using world = await linear(mine);
    const session = await world.ada.initialize();
    expect(session.answer?.text).toContain('- lin\\n- notes');
    expect((await world.ada.modern('server/discover')).text).toContain('- lin\\n- notes');
    const page = await world.ada.modern('resources/read', { uri: 'cortex://architecture' });
    expect(page.text).toContain('- **lin**: 1 tool, 1 prompt, 2 resources.');
    const eve = await world.edge.caller('eve', 'read').initialize();
    expect(eve.answer?.text).not.toContain('lin');
  });

  test('search finds its tools among the others, and knows their names', async () => {
    await using world = await linear(
      listed({ tools: [tool('find_issue', { scopes, description: 'Looks for a bug report.' })] }),
    );
    const found = await world.ada.tool('find_tools', { query: 'bug report' });
    expect(JSON.parse(found.said).tools[0].name).toBe('lin_find_issue');
    const bob = world.edge.caller('bob', 'mcp:lin', 'read');
    world.server.lists('bob', listed({ tools: [tool('find_issue', { scopes, description: 'Another.' })] }));
    expect((await bob.tool('find_tools', { query: 'bug report' })).said).not.toContain('bug report');
    expect(JSON.parse((await bob.tool('find_tools', { names: ['lin_find_issue'] })).said).tools).toHaveLength(
      1,
    );
    world.server.lists(
      'ada',
      listed({ tools: [tool('moved', { scopes, description: 'Looks for a bug.' })] }),
    );
    expect((await world.ada.tool('find_tools', { query: 'bug' })).said).toContain('lin_moved');
  });

  test('whoami asks linked servers, and names the tool that links the others', async () => {
    await using world = await linear(mine);
    world.server.answer(() => ({ kind: 'json', text: 'ada@lin' }));
    const own = await world.edge.caller('ada', 'mcp:lin').tool('whoami');
    expect(JSON.parse(own.said).applications).toEqual({ lin: 'ada@lin' });
    const bob = world.edge.caller('bob', 'mcp:lin');
    world.server.lists('bob', { kind: 'unlinked' });
    expect(JSON.parse((await bob.tool('whoami')).said).applications).toEqual({ lin: { link: 'lin_link' } });
  });
});
