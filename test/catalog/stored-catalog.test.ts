import { describe, expect, test } from 'vitest';
import type { NameRecord } from '#catalog/naming.ts';
import { parseSavedCatalog, writeSavedCatalog } from '#catalog/saved-catalog.ts';
import { createStoredCatalog } from '#catalog/stored-catalog.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { catalogOf, prompt, resource, template, tool } from './samples.ts';

const whole = catalogOf({
  tools: [tool('x', { version: '1.0', deprecated: { reason: 'old' }, isReadOnly: true })],
  prompts: [prompt('p')],
  resources: [resource('a://1')],
  resourceTemplates: [template('a://{x}')],
});

describe('a saved catalog', () => {
  test('is read back as it was', () => {
    const saved = { catalog: whole, schemes: ['a'] };
    expect(parseSavedCatalog(writeSavedCatalog(saved))).toEqual({ ok: true, value: saved });
  });

  const spoilt = (change: (text: string) => string) =>
    change(writeSavedCatalog({ catalog: whole, schemes: ['a'] }));
  test.each([
    ['cut', spoilt((text) => text.slice(0, -5))],
    ['of another version', spoilt((text) => text.replace('"version":1', '"version":2'))],
    ['with a tool without scopes', spoilt((text) => text.replace('"scopes":["read"]', '"scopes":"read"'))],
    ['with a prompt of no name', spoilt((text) => text.replace('"name":"p"', '"name":7'))],
    ['with a resource of no URI', spoilt((text) => text.replace('"uri":"a://1"', '"uri":null'))],
    [
      'with a template of no URI',
      spoilt((text) => text.replace('"uriTemplate":"a://{x}"', '"uriTemplate":{}')),
    ],
    ['with no schemes', spoilt((text) => text.replace('"schemes":["a"]', '"schemes":[1]'))],
    ['of no object', '[]'],
  ])('that is %s is unreadable', (_what, text) => {
    expect(parseSavedCatalog(text)).toEqual({ ok: false, error: 'unreadable' });
  });
});

test('catalogs and names survive in the database, changed and forgotten ones too', async () => {
  const store = openSqliteStore(':memory:');
  const saved = createStoredCatalog(store);
  const name: NameRecord = {
    kind: 'tool',
    publicName: 'a_x',
    backend: 'a',
    ownName: 'x',
    since: 1,
    retiredAt: undefined,
  };
  const other: NameRecord = { ...name, kind: 'prompt', since: 2 };
  await saved.saveBackend({ backend: 'a', catalog: '{}', etag: 'v', savedAt: 3 });
  await saved.saveNames([name, other]);
  await saved.saveNames([{ ...name, retiredAt: 9 }]);
  expect(await saved.load()).toEqual({
    backends: [{ backend: 'a', catalog: '{}', etag: 'v', savedAt: 3 }],
    names: [{ ...name, retiredAt: 9 }, other],
  });
  await saved.removeBackend('a');
  await saved.removeNames([other]);
  expect(await saved.load()).toEqual({ backends: [], names: [{ ...name, retiredAt: 9 }] });
  await store.close();
});
