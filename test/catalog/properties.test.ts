import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NameTable } from '#catalog/naming.ts';
import { createToolSearch } from '#catalog/search.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { visibleCatalog } from '#catalog/visibility.ts';
import { catalogOf, prompt, resource, snapshotOf, source, template, tool } from './samples.ts';

const scope = fc.constantFrom('s1', 's2', 's3', 's4');
const scopes = fc.uniqueArray(scope, { maxLength: 3 });
const id = fc.constantFrom('a', 'a_b', 'b', 'c');
const ownName = fc.constantFrom('x', 'b_x', 'x.y', 'x_y', 'x/y', 'c', 'get_help');
const prefix = fc.constantFrom('', 'a', 'b', 'p');

const catalog = fc.record({
  tools: fc
    .array(fc.tuple(ownName, scopes), { maxLength: 6 })
    .map((all) => all.map(([name, needed]) => tool(name, { scopes: needed }))),
  prompts: fc
    .array(fc.tuple(ownName, scopes), { maxLength: 2 })
    .map((all) => all.map(([name, needed]) => prompt(name, needed))),
  resources: fc
    .array(fc.tuple(fc.constantFrom('a://1', 'b://1', 'a://2'), scopes), { maxLength: 2 })
    .map((all) => all.map(([uri, needed]) => resource(uri, needed))),
  resourceTemplates: fc
    .array(fc.tuple(fc.constantFrom('a://{x}', 'b://{x}'), scopes), { maxLength: 2 })
    .map((all) => all.map(([uri, needed]) => template(uri, needed))),
});
const sources = fc.uniqueArray(
  fc.record({ id, prefix, catalog, status: fc.constantFrom('fresh', 'fresh', 'stale', 'gone') }),
  { selector: (item) => item.id, maxLength: 4 },
);
type Sources = typeof sources extends fc.Arbitrary<infer T> ? T : never;

const sourcesOf = (all: Sources) =>
  all.map((item) =>
    source(item.id, catalogOf(item.catalog), { prefix: item.prefix, status: item.status, hasHelp: true }),
  );
const shown = (snapshot: Snapshot) => [
  ...snapshot.tools.values(),
  ...snapshot.prompts.values(),
  ...snapshot.resources.values(),
  ...snapshot.templates,
];

test('10,000 random callers see nothing that their scopes or their choice do not open, and all that they do', () => {
  const choice = fc.option(fc.uniqueArray(id, { maxLength: 2 }), { nil: undefined });
  fc.assert(
    fc.property(sources, scopes, choice, (all, held, backends) => {
      const { snapshot } = snapshotOf(sourcesOf(all));
      const seen = visibleCatalog(snapshot, new Set(held), backends);
      const items = [...seen.tools, ...seen.prompts, ...seen.resources, ...seen.templates];
      const expected = shown(snapshot).filter(
        ({ backend, definition }) =>
          definition.scopes.length > 0 &&
          definition.scopes.every((needed) => held.some((own) => own === needed)) &&
          (backends === undefined || backends.some((chosen) => chosen === backend)),
      );
      expect(new Set(items)).toEqual(new Set(expected));
      expect(new Set(seen.backends.map((state) => state.id))).toEqual(
        new Set(expected.map(({ backend }) => backend)),
      );
    }),
    { numRuns: 10_000 },
  );
});

test('a search finds nothing outside the view it is given', () => {
  fc.assert(
    fc.property(sources, scopes, fc.constantFrom('x', 'does', 'a_x', 'help y', 'b'), (all, held, text) => {
      const { snapshot } = snapshotOf(sourcesOf(all));
      const { tools } = visibleCatalog(snapshot, new Set(held), undefined);
      const found = createToolSearch({ maxIndexedTools: 100 }).find({ viewKey: 'v', tools, text, limit: 50 });
      for (const item of found) expect(tools).toContain(item);
    }),
    { numRuns: 500 },
  );
});

test('the order and the names do not depend on the order in which backends or tools come (R16)', () => {
  fc.assert(
    fc.property(sources, fc.integer(), (all, seed) => {
      const shuffle = <T>(items: readonly T[]): T[] =>
        items
          .map((item, index) => ({ item, at: (index * 7919 + seed) % 101 }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item);
      const shuffled = shuffle(all).map((item) => ({
        ...item,
        catalog: { ...item.catalog, tools: shuffle(item.catalog.tools) },
      }));
      const owners = (from: Sources) =>
        [...snapshotOf(sourcesOf(from)).snapshot.tools].map(([name, { backend, definition }]) => [
          name,
          backend,
          definition.name,
        ]);
      expect(owners(shuffled)).toEqual(owners(all));
      const names = owners(all).map(([name]) => String(name));
      expect(names).toEqual([...names].sort());
    }),
    { numRuns: 1_000 },
  );
});

test('through any edits a public name never means two things, and who has one keeps it (R19)', () => {
  fc.assert(
    fc.property(fc.array(sources, { minLength: 2, maxLength: 8 }), (edits) => {
      const meaning = new Map<string, string>();
      let names: NameTable = new Map();
      let before: Snapshot | undefined;
      for (const [now, edit] of edits.entries()) {
        const made = snapshotOf(sourcesOf(edit), { names, now, ...(before && { before }) });
        const told = [
          ...[...made.snapshot.tools].map(([name, { backend, definition }]) => ({
            name,
            owner: `${backend} ${definition.name}`,
          })),
          ...[...made.snapshot.backends.values()].flatMap((state) =>
            state.helpName === undefined ? [] : [{ name: state.helpName, owner: `${state.id} get_help` }],
          ),
        ];
        for (const { name, owner } of told) {
          expect(meaning.get(name) ?? owner).toBe(owner);
          meaning.set(name, owner);
        }
        for (const [former, current] of made.snapshot.formerNames) {
          expect(made.snapshot.tools.has(former)).toBe(false);
          expect(meaning.get(former)).toBe(meaning.get(current));
        }
        names = made.names;
        before = made.snapshot;
      }
    }),
    { numRuns: 1_000 },
  );
});
