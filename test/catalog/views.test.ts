import { describe, expect, test } from 'vitest';
import { compactTool, firstSentence } from '#catalog/compact.ts';
import { diffSnapshots } from '#catalog/diff.ts';
import { nothingQuarantined } from '#catalog/empty-snapshot.ts';
import { projectForLegacy } from '#catalog/legacy-projection.ts';
import { logCatalogChange } from '#catalog/log-change.ts';
import { createToolSearch } from '#catalog/search.ts';
import { isVisible, visibleCatalog } from '#catalog/visibility.ts';
import { type Looker, whyHidden } from '#catalog/why-hidden.ts';
import type { JsonObject } from '#kernel/json.ts';
import { type LogFields, silentLog } from '#kernel/log.ts';
import { backendId, prompt, resource, snapshotOf, source, template, tool } from './samples.ts';

const read = new Set(['read']);
const both = new Set(['read', 'write']);

describe('what a set of scopes sees', () => {
  const { snapshot } = snapshotOf([
    source('a', { tools: [tool('open'), tool('both', { scopes: ['read', 'write'] })] }),
    source('b', { prompts: [prompt('p', ['write'])], resourceTemplates: [template('b://{x}', ['write'])] }),
    source('c', { resources: [resource('c://1')] }),
  ]);

  test('is what all its scopes open, with the backends of that and no other', () => {
    const seen = visibleCatalog(snapshot, read, undefined);
    expect(seen.tools.map(({ publicName }) => publicName)).toEqual(['a_open']);
    expect(seen.resources.map(({ uri }) => uri)).toEqual(['c://1']);
    expect(seen.prompts).toEqual([]);
    expect(seen.templates).toEqual([]);
    expect(seen.backends.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('is nothing for a caller without scopes', () => {
    expect(visibleCatalog(snapshot, new Set(), undefined)).toEqual({
      tools: [],
      prompts: [],
      resources: [],
      templates: [],
      backends: [],
    });
  });

  test('never holds what names no scope, should it ever be listed', () => {
    const item = { backend: backendId('a'), definition: { scopes: [] } };
    expect(isVisible(item, both, undefined)).toBe(false);
  });

  test('is less when the caller chose backends, and never more', () => {
    const seen = visibleCatalog(snapshot, read, ['c', 'b', 'unknown']);
    expect(seen.tools).toEqual([]);
    expect(seen.prompts).toEqual([]);
    expect(seen.backends.map(({ id }) => id)).toEqual(['c']);
  });
});

describe('why a tool is hidden', () => {
  const { snapshot } = snapshotOf([
    source('a', { tools: [tool('x', { scopes: ['read', 'write'] }), tool('none', { scopes: [] })] }),
    source('dead', undefined, { status: 'gone' }),
  ]);
  const nobody = (looker: Partial<Looker>): Looker => ({
    scopes: new Set(),
    backends: undefined,
    own: undefined,
    privateServers: new Map([['mine', 'my']]),
    ...looker,
  });
  const last = (...args: [name: string, scopes: ReadonlySet<string>, backends?: readonly string[]]) =>
    whyHidden(snapshot, args[0], nobody({ scopes: args[1], backends: args[2] })).at(-1);

  test('names the first gate that hides it', () => {
    expect(last('nothing', both)).toMatchObject({ gate: 'configured', isPassed: false });
    expect(last('dead_x', both)).toMatchObject({ gate: 'polled', isPassed: false });
    expect(last('none', both)).toMatchObject({
      gate: 'listed',
      isPassed: false,
      detail: 'withheld: no_scope',
    });
    expect(last('a_x', both, ['b'])).toMatchObject({ gate: 'chosen', isPassed: false });
    expect(last('a_x', read)).toMatchObject({ gate: 'scopes', isPassed: false, detail: 'missing write' });
  });

  test('knows what is quarantined, also in one person’s lists', () => {
    const item = { backend: backendId('a'), scopes: ['read'], reason: 'changed' } as const;
    const quarantined = { ...nothingQuarantined, tools: new Map([['a_y', item]]) };
    const seen = whyHidden({ ...snapshot, quarantined }, 'a_y', nobody({}));
    expect(seen.at(-1)).toMatchObject({
      gate: 'quarantine',
      isPassed: false,
      detail: 'quarantined: changed',
    });
    const own = { tools: new Map(), withheld: [], quarantined, links: new Map(), late: new Set<string>() };
    expect(whyHidden(snapshot, 'a_y', nobody({ own })).at(-1)?.gate).toBe('quarantine');
  });

  test('knows the lists that are one person’s own', () => {
    const own = {
      tools: new Map(),
      withheld: [],
      quarantined: nothingQuarantined,
      links: new Map(),
      late: new Set<string>(),
    };
    const why = (looker: Partial<Looker>) => whyHidden(snapshot, 'my_find', nobody(looker)).at(-1);
    expect(why({})).toMatchObject({
      gate: 'account',
      isPassed: false,
      fix: expect.stringContaining('--token'),
    });
    expect(why({ own: { ...own, links: new Map([['mine', 'mine_link']]) } })).toMatchObject({
      gate: 'account',
      fix: expect.stringContaining('mine_link'),
    });
    expect(why({ own: { ...own, late: new Set(['mine']) } })).toMatchObject({
      gate: 'account',
      isPassed: false,
    });
    expect(why({ own })).toMatchObject({ gate: 'listed', isPassed: false });
    const mine = snapshotOf([source('mine', { tools: [tool('find', { scopes: ['read'] })] })]).snapshot.tools;
    const gates = whyHidden(snapshot, 'mine_find', nobody({ scopes: read, own: { ...own, tools: mine } }));
    expect(gates.map(({ gate }) => gate)).toEqual([
      'configured',
      'account',
      'listed',
      'quarantine',
      'chosen',
      'scopes',
    ]);
    expect(gates.every(({ isPassed }) => isPassed)).toBe(true);
  });

  test('passes every gate of a tool that is seen, in order', () => {
    const gates = whyHidden(snapshot, 'a_x', nobody({ scopes: both }));
    expect(gates.map(({ gate }) => gate)).toEqual([
      'configured',
      'polled',
      'listed',
      'quarantine',
      'chosen',
      'scopes',
    ]);
    expect(gates.every(({ isPassed }) => isPassed)).toBe(true);
  });
});

describe('the difference between two snapshots', () => {
  const before = snapshotOf([
    source('a', { tools: [tool('same'), tool('old'), tool('x', { version: '1' })] }),
    source('b', { resources: [resource('b://1')], prompts: [prompt('p')] }),
  ]);
  const same = before.snapshot.tools.get('a_same')?.definition;
  if (same === undefined) throw new Error('a_same is not listed');
  const next = (scopes: readonly string[]) =>
    snapshotOf(
      [
        source('a', {
          tools: [same, tool('new'), tool('x', { description: 'Else.', scopes, version: '1' })],
        }),
        source('b', { prompts: [prompt('p', ['write'])] }, { status: 'stale' }),
      ],
      { names: before.names, before: before.snapshot },
    ).snapshot;

  test('names what came, went and changed', () => {
    const diff = diffSnapshots(before.snapshot, next(['read']));
    expect(diff.tools.map(({ key }) => key).sort()).toEqual(['a_new', 'a_old', 'a_x']);
    expect(diff.resources.map(({ key }) => key)).toEqual(['b://1']);
    expect(diff.backends.map(({ before: old, after }) => [old?.status, after?.status])).toEqual([
      ['fresh', 'stale'],
    ]);
  });

  test('is told to the operator, ten names a kind', () => {
    const lines: unknown[] = [];
    const log = { ...silentLog, info: (event: string, fields?: LogFields) => lines.push([event, fields]) };
    logCatalogChange(log, before.snapshot, next(['read']));
    expect(lines).toEqual([
      [
        'catalog.changed',
        {
          generation: expect.any(Number),
          tools: '-a_old ~a_x +a_new',
          prompts: '~b_p',
          resources: '-b://1',
          backends: '~b',
        },
      ],
    ]);
  });
});

describe('the search for tools', () => {
  const { snapshot } = snapshotOf([
    source('crm', {
      tools: [
        tool('invoice_search', { description: 'Find invoices of a customer by number.' }),
        tool('createInvoice', { description: 'Write a new bill.' }),
        tool('contact', {
          description: 'People.',
          inputSchema: { type: 'object', properties: { postal_code: { type: 'string' } } },
        }),
        tool('secret_invoice', { description: 'Invoices nobody sees.', scopes: ['secret'] }),
      ],
    }),
  ]);
  const { tools } = visibleCatalog(snapshot, read, undefined);
  const search = createToolSearch({ maxIndexedTools: 10 });
  const find = (text: string, limit = 10) =>
    search.find({ viewKey: 'v', tools, text, limit }).map(({ publicName }) => publicName);

  test('puts exact names first', () => {
    expect(find('crm_contact invoice')[0]).toBe('crm_contact');
    expect(find('crm_createInvoice, crm_contact').slice(0, 2)).toEqual(['crm_createInvoice', 'crm_contact']);
  });

  test('finds by name, description, parameter, beginning and near miss', () => {
    expect(find('search for an invoice')[0]).toBe('crm_invoice_search');
    expect(find('bill')).toEqual(['crm_createInvoice']);
    expect(find('postal')).toEqual(['crm_contact']);
    expect(find('invo')).toContain('crm_createInvoice');
    expect(find('costumer')).toEqual(['crm_invoice_search']);
  });

  test('finds nothing that the caller does not see', () => {
    expect(find('crm_secret_invoice', 50)).not.toContain('crm_secret_invoice');
    expect(find('nobody')).toEqual([]);
  });

  test('gives at most as many as asked for, and the same each time', () => {
    expect(find('crm', 2)).toHaveLength(2);
    expect(find('crm')).toEqual(find('crm'));
  });

  test('survives queries of any size and kind', () => {
    expect(find('x'.repeat(100_000))).toEqual([]);
    expect(find('')).toEqual([]);
    expect(find('🦊 ((( * ) \\ "')).toEqual([]);
  });

  test('answers from the view it is given, whichever indexes its bound lets it keep', () => {
    const bounded = createToolSearch({ maxIndexedTools: 3 });
    const all = [...snapshot.tools.values()];
    const ask = (viewKey: string, seen: typeof tools) =>
      bounded.find({ viewKey, tools: seen, text: 'invoice', limit: 10 }).length;
    expect([ask('own', tools), ask('all', all), ask('none', []), ask('own', tools)]).toEqual([2, 3, 0, 2]);
    expect([ask('other', tools.slice(0, 2)), ask('own', tools), ask('all', all)]).toEqual([1, 2, 3]);
  });

  test('keeps no index for each empty view that callers can name', () => {
    const bounded = createToolSearch({ maxIndexedTools: 100 });
    const ask = (viewKey: string, seen: typeof tools) =>
      bounded.find({ viewKey, tools: seen, text: 'invoice', limit: 10 }).length;
    expect(ask('own', tools)).toBe(2);
    expect(ask('own', []), 'the index is kept').toBe(2);
    for (let number = 0; number < 10; number++) ask(`none ${number}`, []);
    expect(ask('own', []), 'the index is gone').toBe(0);
  });
});

describe('a tool in search mode', () => {
  test('keeps title, one line of description, annotations, and exactly the header properties (R4)', () => {
    const inputSchema: JsonObject = {
      type: 'object',
      required: ['region', 'q'],
      properties: {
        region: { type: 'string', description: 'Where', enum: ['eu', 'us'], 'x-mcp-header': 'Region' },
        q: { type: 'string' },
        page: {
          type: 'object',
          properties: { size: { type: 'integer', 'x-mcp-header': 'Size' }, at: { type: 'integer' } },
        },
      },
    };
    const wire = {
      title: 'Search',
      description: 'Finds documents. Long story follows.',
      inputSchema,
      outputSchema: { type: 'object' },
      annotations: { readOnlyHint: true, vendor: 1 },
      _meta: { big: 'x' },
    };
    const { snapshot } = snapshotOf([
      source('a', { tools: [tool('x', { wire, inputSchema, description: wire.description })] }),
    ]);
    const listed = snapshot.tools.get('a_x');
    expect(listed && compactTool(listed)).toEqual({
      title: 'Search',
      description: 'Finds documents.',
      inputSchema: {
        type: 'object',
        properties: {
          region: { type: 'string', 'x-mcp-header': 'Region' },
          page: { type: 'object', properties: { size: { type: 'integer', 'x-mcp-header': 'Size' } } },
        },
      },
      annotations: { readOnlyHint: true, vendor: 1 },
    });
  });

  test('has the bare object schema where no argument is a header', () => {
    expect(compactTool({ definition: tool('x'), paramHeaders: [] })).toEqual({
      description: 'Does x.',
      inputSchema: { type: 'object' },
    });
  });

  test('survives a property called __proto__', () => {
    const paramHeaders = [{ header: 'P', path: ['__proto__'], type: 'string' }] as const;
    expect(JSON.stringify(compactTool({ definition: tool('x'), paramHeaders }))).toContain(
      '"__proto__":{"type"',
    );
  });

  test.each([
    ['One. Two.', 'One.'],
    ['Version 1.2 of it\nmore', 'Version 1.2 of it'],
    ['  Really? Yes.', 'Really?'],
    ['no end', 'no end'],
    ['', ''],
  ])('says the first sentence of %j', (text, expected) => {
    expect(firstSentence(text)).toBe(expected);
  });

  test('cuts an endless sentence at a word, and never within a character', () => {
    const words = firstSentence('word '.repeat(100));
    expect(words.length).toBeLessThanOrEqual(160);
    expect(words.endsWith('word…')).toBe(true);
    const fox = firstSentence(`x${'🦊'.repeat(200)}`);
    expect(fox.isWellFormed()).toBe(true);
  });
});

describe('a tool for legacy clients (R21)', () => {
  test('loses an outputSchema whose root is no object, and nothing else', () => {
    const wire = { title: 'X', inputSchema: {}, outputSchema: { type: 'array' }, vendor: 1 };
    expect(projectForLegacy(wire)).toEqual({ title: 'X', inputSchema: {}, vendor: 1 });
    expect(projectForLegacy({ outputSchema: { anyOf: [] } })).toEqual({});
  });

  test('is the same object where nothing is to be left out', () => {
    const plain = { inputSchema: {} };
    const withObject = { outputSchema: { type: 'object' } };
    expect(projectForLegacy(plain)).toBe(plain);
    expect(projectForLegacy(withObject)).toBe(withObject);
  });
});
