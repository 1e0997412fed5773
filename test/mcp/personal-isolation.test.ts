import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PersonalCatalog } from '#backends/backend.ts';
import { createToolSearch } from '#catalog/search.ts';
import type { JsonObject } from '#kernel/json.ts';
import { createBuiltins } from '#mcp/builtins/registry.ts';
import type { EdgeDeps } from '#mcp/deps.ts';
import type { PersonalPart } from '#mcp/personal-part.ts';
import type { Views } from '#mcp/views.ts';
import { catalogOf, prompt, resource, template, tool } from '../catalog/samples.ts';
import type { Answer, McpCaller } from '../support/mcp-caller.ts';
import { createScriptedServer, listed, said } from '../support/scripted-server.ts';
import { createEdge, type EdgeSetup } from './support/edge.ts';

const subjects = ['ada', 'bob', 'cyd', 'dan', 'eve'] as const;
const servers = ['lin', 'zen'] as const;
const scopeSets = [['mcp:lin', 'mcp:zen'], ['mcp:lin'], ['mcp:zen', 'mcp:zen:more'], ['mcp:other']] as const;

/** Everything in one person's lists carries its name, so that a foreign byte tells itself. */
function listsOf(subject: string, server: string, shape: number): PersonalCatalog {
  if (shape === 0) return { kind: 'unlinked' };
  const scopes = [`mcp:${server}`];
  const mark = `«${subject} ${shape}»`;
  const wire = { description: mark, inputSchema: { type: 'object' } };
  return listed(
    {
      tools: [
        tool('find', { scopes, wire, description: mark }),
        tool(`${subject}_own`, { scopes, wire, description: mark }),
        ...(shape > 2 ? [tool('more', { scopes: [`mcp:${server}:more`], wire, description: mark })] : []),
      ],
      prompts: shape > 1 ? [{ ...prompt('plan', scopes), wire: { description: mark } }] : [],
      resources: [
        {
          ...resource(`u://${server}/${subject}`, scopes),
          wire: { uri: `u://${server}/${subject}`, name: mark },
        },
      ],
      resourceTemplates: [template(`u://${server}/${subject}/{id}`, scopes)],
    },
    shape === 3,
  );
}

const call = (name: string, args: JsonObject = {}) => ['tools/call', { name, arguments: args }] as const;
const complete = (ref: JsonObject) =>
  ['completion/complete', { ref, argument: { name: 'a', value: '' } }] as const;
const asks: readonly (readonly [string, JsonObject])[] = [
  ['tools/list', {}],
  ['tools/list', {}],
  ['prompts/list', {}],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'cortex://architecture' }],
  ['resources/read', { uri: 'u://lin/ada' }],
  ['resources/read', { uri: 'u://zen/bob/7' }],
  ['prompts/get', { name: 'lin_plan' }],
  call('find_tools', { query: 'find own more' }),
  call('find_tools', { names: ['lin_find', 'lin_ada_own', 'zen_more', 'zen_bob_own'] }),
  call('list_cortex_resources'),
  call('read_cortex_resource', { uri: 'u://lin/cyd' }),
  call('whoami'),
  call('lin_find'),
  call('lin_ada_own'),
  call('zen_bob_own'),
  call('zen_more'),
  call('lin_nothing'),
  complete({ type: 'ref/prompt', name: 'lin_plan' }),
  complete({ type: 'ref/resource', uri: 'u://lin/ada/{id}' }),
];
const searches = ['', '?mode=search', '?backends=lin', '?backends=zen&mode=search'];

/** An edge of these people: everybody, or one alone. */
async function worldOf(people: readonly string[], plant?: EdgeSetup['plant']) {
  const all = servers.map((id) => {
    const server = createScriptedServer(id, {
      shared: catalogOf({ tools: [tool('everyone', { scopes: [`mcp:${id}`] })] }),
    });
    server.answer(({ method, target, context: { principal } }) => {
      if (method === 'prompt')
        return { kind: 'mcp', text: JSON.stringify({ messages: [principal.subject] }) };
      if (method === 'read') return { kind: 'mcp', text: JSON.stringify({ contents: [principal.subject] }) };
      if (method === 'whoami' || method === 'complete') return { kind: 'json', text: principal.subject };
      return said(`${target} for ${principal.subject}`);
    });
    return server;
  });
  const edge = await createEdge({
    servers: all.map((server) => ({
      server,
      otherScopes: [[`mcp:${server.backend.id}:more`]],
    })),
    pageSize: 4,
    ...(plant && { plant }),
  });
  const set = (subject: string, shapes: readonly number[]) => {
    if (!people.includes(subject)) return;
    for (const [at, server] of all.entries())
      server.lists(subject, listsOf(subject, server.backend.id, shapes[at] ?? 0));
  };
  for (const [at, subject] of subjects.entries()) set(subject, [at % 4, (at + 1) % 4]);
  return { edge, set, [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose]() };
}
type World = Awaited<ReturnType<typeof worldOf>>;

/** Each invitation is another; the rest of what is said of it is not. */
const shown = ({ status, text }: Answer) => `${status} ${text.replaceAll(/invitation-\d+/g, 'invitation')}`;

async function saidTo(caller: McpCaller, ask: number, search: string, isLegacy: boolean): Promise<string> {
  const [method, params] = asks[ask] ?? ['ping', {}];
  const session = isLegacy ? await caller.initialize({ search }) : undefined;
  const request = session?.request ?? caller.modern;
  const first = await request(method, params, { search, id: 1 });
  const instructions = session?.answer ?? (await caller.modern('server/discover', {}, { search, id: 1 }));
  const { nextCursor } = first.result;
  const second =
    nextCursor === undefined ? '' : shown(await request(method, { cursor: nextCursor }, { search, id: 1 }));
  return [shown(first), instructions.text, second].join('\n');
}

/** Whoever asks whatever, after whomever: is it told what it would be told were it alone? */
async function findsNothingForeign(plant?: EdgeSetup['plant']): Promise<boolean> {
  await using together = await worldOf(subjects, plant);
  const apart = new Map<string, World>();
  await using owned = new AsyncDisposableStack();
  for (const subject of subjects) {
    const alone = await worldOf([subject]);
    owned.use(alone);
    apart.set(subject, alone);
  }
  const step = fc.record({
    who: fc.constantFrom(...subjects),
    held: fc.constantFrom(...scopeSets),
    ask: fc.nat(asks.length - 1),
    search: fc.constantFrom(...searches),
    isLegacy: fc.boolean(),
    change: fc.option(fc.tuple(fc.constantFrom(...subjects), fc.nat(3), fc.nat(3)), { freq: 4 }),
  });
  const outcome = await fc.check(
    fc.asyncProperty(step, async ({ who, held, ask, search, isLegacy, change }) => {
      if (change !== null) {
        const [subject, ...shapes] = change;
        for (const world of [together, apart.get(subject)]) world?.set(subject, shapes);
      }
      const alone = apart.get(who);
      if (alone === undefined) return false;
      const answer = await saidTo(together.edge.caller(who, ...held), ask, search, isLegacy);
      const expected = await saidTo(alone.edge.caller(who, ...held), ask, search, isLegacy);
      const marks = [...answer.matchAll(/«(\w+) \d»/g)].map(([, name]) => name);
      return answer === expected && marks.every((name) => name === who);
    }),
    { numRuns: 1_000, seed: 11, endOnFailure: true },
  );
  return !outcome.failed;
}

test('1,000 random questions of five people with lists of their own find no foreign byte (R44)', async () => {
  expect(await findsNothingForeign()).toBe(true);
}, 60_000);

const faults: Readonly<Record<string, (deps: EdgeDeps) => Partial<EdgeDeps>>> = {
  'lists kept for all under the scopes alone': ({ personal }) => {
    const kept = new Map<string, PersonalPart | Promise<PersonalPart>>();
    return {
      personal: {
        ...personal,
        of(snapshot, principal) {
          const part = kept.get(principal.scopeKey) ?? personal.of(snapshot, principal);
          kept.set(principal.scopeKey, part);
          return part;
        },
      },
    };
  },
  'pages with own entries that get into the cache': ({ views }) => {
    const kept = new Map<string, ReturnType<Views['page']>>();
    const page: Views['page'] = (view, kind, era, cursor, own) => {
      const key = JSON.stringify([view.key, kind, era, cursor]);
      const made = kept.get(key) ?? views.page(view, kind, era, cursor, own);
      kept.set(key, made);
      return made;
    };
    return { views: { ...views, page } };
  },
  'an index that forgets whose it is': () => {
    const search = createToolSearch({ maxIndexedTools: 1_000 });
    const forgetful: typeof search = {
      ...search,
      find: (query) =>
        search.find({ ...query, viewKey: query.viewKey.replace(/\["[^\n]*/, '').replace(/^\d+/, '') }),
    };
    return { builtins: createBuiltins(forgetful) };
  },
};
test.each(Object.entries(faults))(
  'the same questions find %s',
  async (_, plant) => {
    expect(await findsNothingForeign(plant)).toBe(false);
  },
  60_000,
);

test('a caller without scopes is told, byte for byte, what an edge without servers tells', async () => {
  await using full = await worldOf(subjects);
  await using empty = await createEdge({ pageSize: 4 });
  for (const held of [[], ['mcp:other']]) {
    for (const search of searches) {
      for (const isLegacy of [false, true]) {
        for (const ask of asks.keys()) {
          const [one, other] = [full.edge.caller('ada', ...held), empty.caller('ada', ...held)];
          expect(await saidTo(one, ask, search, isLegacy)).toBe(await saidTo(other, ask, search, isLegacy));
        }
      }
    }
  }
  const streams = [full.edge, empty].map(async (edge) => {
    const events = await edge
      .caller('ada')
      .listen({ toolsListChanged: true, resourceSubscriptions: ['u://lin/ada'] }, { id: 1 });
    const acknowledged = await events.next();
    full.set('ada', [2, 2]);
    full.edge.personalChanged('lin', 'ada');
    const later = await events.within(60);
    await events.close();
    return [acknowledged, later];
  });
  const [one, other] = await Promise.all(streams);
  expect(one).toEqual(other);
}, 60_000);
