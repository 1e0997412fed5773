import { afterAll, beforeAll, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { type McpCaller, namesIn } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const nouns = [
  'invoice',
  'customer',
  'shipment',
  'ticket',
  'contract',
  'employee',
  'warehouse',
  'campaign',
  'repository',
  'calendar',
];
const verbs = [
  'list',
  'get',
  'create',
  'update',
  'delete',
  'search',
  'export',
  'archive',
  'assign',
  'approve',
];

/** A tool as real applications write them: paragraphs of description, nested and documented parameters. */
function realTool(verb: string, noun: string, index: number): JsonObject {
  const field = (description: string, more: JsonObject = {}) => ({ type: 'string', description, ...more });
  return {
    name: `${verb}_${noun}_${index}`,
    scope: 'mcp:test',
    title: `${verb} ${noun}`,
    description:
      `${verb[0]?.toUpperCase()}${verb.slice(1)}s one or more ${noun} records of the tenant. Use this when the user asks about ${noun}s and has named at least one criterion.\n\n` +
      `The result holds at most 100 records in the order of their last change; pass the cursor of the last page to go on. Amounts are in minor units of the account's currency. ` +
      `Dates are ISO 8601 in UTC. Records that were archived are left out unless include_archived is set. Never guess an id: search for the ${noun} first.`,
    annotations: { readOnlyHint: verb === 'list' || verb === 'get', openWorldHint: false },
    inputSchema: {
      type: 'object',
      required: ['filter'],
      additionalProperties: false,
      properties: {
        filter: {
          type: 'object',
          description: `Which ${noun} records to ${verb}.`,
          properties: {
            ids: {
              type: 'array',
              items: { type: 'string', pattern: '^[a-z]{3}_[0-9a-z]{16}$' },
              maxItems: 100,
              description: `Ids as ${noun} tools return them.`,
            },
            status: {
              type: 'string',
              enum: ['draft', 'open', 'paid', 'void', 'uncollectible'],
              description: 'Where in its life the record is.',
            },
            created_after: field('Only records made after this moment.', { format: 'date-time' }),
            created_before: field('Only records made before this moment.', { format: 'date-time' }),
            owner: field('The e-mail address of the person who owns the record.', { format: 'email' }),
          },
        },
        cursor: field('Where the page before ended.'),
        limit: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          default: 25,
          description: 'How many records at most.',
        },
        include_archived: {
          type: 'boolean',
          default: false,
          description: 'Also records that were archived.',
        },
      },
    },
    outputSchema: {
      type: 'object',
      properties: { records: { type: 'array', items: { type: 'object' } }, cursor: { type: 'string' } },
    },
  };
}
const tools = verbs.flatMap((verb) =>
  nouns.flatMap((noun) => [realTool(verb, noun, 1), realTool(verb, noun, 2)]),
);
let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({ backends: { erp: { tools } } });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterAll(() => running.close());

const found = async (args: JsonObject, caller: McpCaller = ada) => {
  const value: unknown = JSON.parse((await caller.tool('find_tools', args, { search: '?mode=search' })).said);
  const list = isJsonObject(value) && Array.isArray(value.tools) ? value.tools : [];
  return { value: isJsonObject(value) ? value : {}, list: list.filter(isJsonObject) };
};

test('the list of 200 tools of real size is at most a quarter of the bytes, with the real names and annotations', async () => {
  const full = await ada.modern('tools/list');
  for (const ask of [
    () => ada.modern('tools/list', {}, { search: '?mode=search' }),
    () => ada.modern('tools/list', {}, { headers: { 'x-cortex-tool-mode': 'search' } }),
  ]) {
    const small = await ask();
    expect(small.text.length / full.text.length).toBeLessThanOrEqual(0.25);
    const names = (list: readonly string[]) => list.filter((name) => name.startsWith('erp_'));
    expect(names(namesIn(small, 'tools'))).toEqual(names(namesIn(full, 'tools')));
    expect(names(namesIn(small, 'tools'))).toHaveLength(201);
    expect(namesIn(small, 'tools')).toContain('find_tools');
    expect(namesIn(full, 'tools')).not.toContain('find_tools');
    expect(small.text).toContain(
      '{"name":"erp_list_invoice_1","title":"list invoice","description":"Lists one or more invoice records of the tenant.","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"openWorldHint":false}}',
    );
  }
  const session = await ada.initialize({ search: '?mode=search' });
  expect((await session.request('tools/list')).text.length / full.text.length).toBeLessThanOrEqual(0.25);
});

test('each tool is found by its exact name with its whole schema, and can be called under that name', async () => {
  const names = tools.map(({ name }) => `erp_${String(name)}`);
  for (let start = 0; start < names.length; start += 50) {
    const wanted = names.slice(start, start + 50);
    const { list } = await found({ names: wanted });
    expect(list.map(({ name }) => name)).toEqual([...wanted].sort());
    for (const { name, inputSchema } of list) {
      const own = tools.find((tool) => `erp_${String(tool.name)}` === name);
      expect(inputSchema).toEqual(own?.inputSchema);
    }
  }
  for (const name of names)
    expect((await ada.tool(name, {}, { search: '?mode=search' })).isError).toBe(false);
});

test('each tool is among the first found by words from its name', async () => {
  for (const verb of verbs) {
    for (const noun of nouns) {
      const { list } = await found({ query: `${verb} ${noun}`, limit: 8 });
      expect(list.map(({ name }) => name)).toEqual(
        expect.arrayContaining([`erp_${verb}_${noun}_1`, `erp_${verb}_${noun}_2`]),
      );
      expect(list.length).toBeLessThanOrEqual(8);
    }
  }
});

test('what is asked for wrongly finds nothing or less, never an error', async () => {
  expect((await found({ names: ['erp_none', 'erp_list_invoice_1'] })).value.unknown).toEqual(['erp_none']);
  expect((await found({})).value.hint).toContain('Nothing matches');
  expect((await found({ query: 'zzzzqqq' })).list).toEqual([]);
  expect((await found({ query: 'invoice', limit: 1_000 })).list.length).toBeLessThanOrEqual(50);
  expect((await found({ query: 'invoice', limit: -3 })).list).toHaveLength(1);
  expect((await found({ query: 7, names: 'x', limit: 'y' })).list).toEqual([]);
  const stranger = await running.caller({ sub: 'stranger' });
  expect((await found({ query: 'invoice', names: ['erp_list_invoice_1'] }, stranger)).value).toMatchObject({
    tools: [],
    unknown: ['erp_list_invoice_1'],
  });
});
