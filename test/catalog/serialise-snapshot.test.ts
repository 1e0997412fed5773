import { describe, expect, test } from 'vitest';
import { readSnapshot } from '#catalog/read-snapshot.ts';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import { prompt, resource, snapshotOf, source, template, tool } from './samples.ts';

const inputSchema = { type: 'object', properties: { r: { type: 'string', 'x-mcp-header': 'R' } } };
const wire = {
  description: 'Does x.',
  inputSchema,
  outputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
};
const before = snapshotOf([source('a', { tools: [tool('x')] })]);
const { snapshot } = snapshotOf(
  [
    source(
      'a',
      {
        tools: [
          tool('x', {
            wire,
            inputSchema,
            hasOutputSchema: true,
            isReadOnly: true,
            version: '2',
            deprecated: { reason: 'old' },
          }),
          tool('hidden', { scopes: [] }),
        ],
        prompts: [prompt('p')],
        resources: [resource('a://1')],
        resourceTemplates: [template('a://{x}')],
      },
      { prefix: 'n', status: 'stale', hasHelp: true },
    ),
  ],
  { names: before.names, now: 1 },
);
const text = JSON.stringify(serialiseSnapshot(snapshot));

describe('a serialised snapshot', () => {
  test('names what is listed with its owner, scopes, size and staleness, and what is withheld', () => {
    const json = serialiseSnapshot(snapshot);
    expect(json).toMatchObject({
      tools: [{ publicName: 'n_x', backend: 'a', ownName: 'x', scopes: ['read'], stale: true, wire }],
      backends: [{ id: 'a', status: 'stale', helpName: 'n_get_help', schemes: ['a'] }],
      formerNames: { a_x: 'n_x' },
      withheld: [{ backend: 'a', kind: 'tool', name: 'hidden', reason: 'no_scope' }],
    });
    const bytes = JSON.stringify({ name: 'n_x', ...wire }).length;
    expect(json.tools).toMatchObject([{ bytes }]);
  });

  test('is read back as the snapshot it was', () => {
    const read = readSnapshot(JSON.parse(text));
    if (!read.ok) throw new Error(read.error);
    const plain = (value: typeof snapshot) => ({
      ...value,
      names: 'only for the gateway itself',
      templates: value.templates.map(({ matches, ...rest }) => ({ ...rest, one: matches('a://7') })),
    });
    expect(plain(read.value)).toEqual(plain(snapshot));
  });

  test.each([
    ['generation', '"generation":"1"'],
    ['tools', '"tools":{}'],
    ['backends', '"backends":[{"id":"A B"}]'],
    ['withheld', '"withheld":[{"backend":"a","kind":"tool","name":"x","reason":"mood"}]'],
    ['formerNames', '"formerNames":[1]'],
  ])('of another shape is unreadable: %s', (key, replacement) => {
    const spoilt = JSON.parse(JSON.stringify({ ...JSON.parse(text), ...JSON.parse(`{${replacement}}`) }));
    expect(Object.keys(spoilt)).toContain(key);
    expect(readSnapshot(spoilt)).toEqual({ ok: false, error: 'unreadable' });
  });
});
