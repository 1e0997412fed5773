import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Choice } from '#mcp/choice.ts';
import type { ListKind } from '#mcp/entries.ts';
import { createViews, type Views } from '#mcp/views.ts';
import { catalogOf, prompt, resource, snapshotOf, source, template, tool } from '../catalog/samples.ts';

const scope = fc.constantFrom('s1', 's2', 's3', 's4');
const scopes = fc.uniqueArray(scope, { maxLength: 3 });
const id = fc.constantFrom('a', 'b', 'c', 'd');
const ownName = fc.constantFrom('x', 'y', 'z', 'w');

/** Every definition carries its scopes in a mark, so that a foreign byte tells itself. */
const mark = (needed: readonly string[]) => `«${[...needed].sort().join('+')}»`;
const wire = (needed: readonly string[]) => ({ description: mark(needed), inputSchema: { type: 'object' } });
const items = <T>(make: (name: string, needed: readonly string[]) => T, maxLength: number) =>
  fc
    .array(fc.tuple(ownName, scopes), { maxLength })
    .map((all) => all.map(([name, needed]) => make(name, needed)));

const sources = fc.uniqueArray(
  fc.tuple(
    id,
    items((name, needed) => tool(name, { scopes: needed, wire: wire(needed), description: mark(needed) }), 6),
    items((name, needed) => ({ ...prompt(name, needed), wire: wire(needed) }), 3),
    items(
      (name, needed) => ({
        ...resource(`u://${name}`, needed),
        wire: { uri: `u://${name}`, name: mark(needed) },
      }),
      3,
    ),
    items(
      (name, needed) => ({
        ...template(`u://{${name}}`, needed),
        wire: { uriTemplate: `u://{${name}}`, name: mark(needed) },
      }),
      3,
    ),
  ),
  { selector: ([name]) => name, maxLength: 4 },
);

/** Catalogs as one gateway has them one after the other: each with a generation of its own. */
function catalogs(count: number): readonly Snapshot[] {
  let before = emptySnapshot;
  return fc.sample(sources, { numRuns: count, seed: 7 }).map((all) => {
    const made = snapshotOf(
      all.map(([name, tools, prompts, resources, resourceTemplates]) =>
        source(name, catalogOf({ tools, prompts, resources, resourceTemplates }), { hasHelp: true }),
      ),
      { before },
    );
    before = { ...made.snapshot, generation: before.generation + 1 };
    return before;
  });
}

const kinds: readonly ListKind[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];
const choices: readonly Choice[] = [
  { backends: undefined, mode: 'full', key: 'full' },
  { backends: undefined, mode: 'search', key: 'search' },
  { backends: ['a', 'c'], mode: 'full', key: 'full a,c' },
];

/** What the marks in a text say was needed. */
const marksIn = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/«([^»]*)»/g)].map(([, needed = '']) => needed.split('+'));

function noForeignByte(views: Views, snapshots: readonly Snapshot[]) {
  return fc.property(
    fc.nat(snapshots.length - 1),
    scopes,
    fc.constantFrom(...choices),
    fc.constantFrom('modern' as const, 'legacy' as const),
    (index, held, choice, era) => {
      const snapshot = snapshots[index] ?? emptySnapshot;
      const own = new Set<string>(held);
      const view = views.of(snapshot, { scopes: own, scopeKey: [...held].sort().join(' ') }, choice);
      for (const kind of kinds) {
        const page = views.page(view, kind, era, undefined);
        if (!page.ok) return false;
        const shown = marksIn(page.value.members);
        if (!shown.every((needed) => needed.every((name) => own.has(name)))) return false;
        if (kind !== 'tools' || choice.backends !== undefined) continue;
        const expected = [...snapshot.tools.values()].filter(
          ({ definition }) =>
            definition.scopes.length > 0 && definition.scopes.every((name) => own.has(name)),
        );
        if (shown.length !== expected.length) return false;
      }
      return true;
    },
  );
}
const bounds = { maxEntries: 500, maxBytes: 4_000_000, pageSize: 1_000 };
const run = { numRuns: 10_000, seed: 7 };

test('10,000 random callers of 60 random catalogs find no foreign byte in any list, whoever asked before (R16)', () => {
  const outcome = fc.check(noForeignByte(createViews(bounds), catalogs(60)), run);
  expect(outcome.failed).toBe(false);
  expect(outcome.numRuns).toBe(10_000);
});

test('the same check finds a cache whose key forgets the scopes', () => {
  const views = createViews(bounds);
  const forgetful: Views = {
    ...views,
    of: (snapshot, principal, choice) => views.of(snapshot, { ...principal, scopeKey: 'everyone' }, choice),
  };
  expect(fc.check(noForeignByte(forgetful, catalogs(60)), run).failed).toBe(true);
});

test('the same check finds a cache whose key forgets the catalog', () => {
  const views = createViews(bounds);
  const forgetful: Views = {
    ...views,
    of: (snapshot, principal, choice) => views.of({ ...snapshot, generation: 1 }, principal, choice),
  };
  expect(fc.check(noForeignByte(forgetful, catalogs(60)), run).failed).toBe(true);
});
