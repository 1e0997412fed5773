import { describe, expect, test } from 'vitest';
import { parsePrompts } from '#contract/parse-prompts.ts';
import { parseResources, parseResourceTemplates } from '#contract/parse-resources.ts';

describe('parsePrompts', () => {
  test('keeps all but name and scope in the wire form', () => {
    const prompt = {
      name: 'p',
      scope: ['a', 'b'],
      description: 'd',
      arguments: [{ name: 'x', required: true }],
    };
    expect(parsePrompts({ prompts: [prompt] }, 10)).toEqual({
      ok: true,
      value: {
        definitions: [
          {
            name: 'p',
            scopes: ['a', 'b'],
            wire: { description: 'd', arguments: [{ name: 'x', required: true }] },
          },
        ],
        problems: [],
      },
    });
  });

  test.each([
    [{ name: 'p', arguments: {} }, 'arguments is not'],
    [{ name: 'p', arguments: [{}] }, 'arguments is not'],
    [{ name: 'p', title: 1 }, 'title is not a string'],
    [{ name: 'p', scope: {} }, 'scope is neither'],
    [{ scope: 'a' }, 'no name'],
  ])('leaves out %j with a reason', (prompt, reason) => {
    const parsed = parsePrompts({ prompts: [prompt] }, 10);
    expect(parsed).toMatchObject({ ok: true, value: { definitions: [] } });
    expect(parsed.ok && parsed.value.problems[0]).toContain(reason);
  });
});

describe('parseResources', () => {
  test('keeps the whole wire form but the scope', () => {
    const resource = { uri: 'docs://a', name: 'A', mimeType: 'text/plain', size: 5, scope: 'a' };
    const parsed = parseResources({ resources: [resource] }, 10);
    expect(parsed.ok && parsed.value.definitions).toEqual([
      {
        uri: 'docs://a',
        scopes: ['a'],
        wire: { uri: 'docs://a', name: 'A', mimeType: 'text/plain', size: 5 },
      },
    ]);
  });

  test.each([
    [{ uri: 'docs://a' }, 'no name'],
    [{ name: 'A' }, 'no uri'],
    [{ uri: '/relative', name: 'A' }, 'URI scheme'],
    [{ uri: 'docs://a', name: 'A', mimeType: 1 }, 'mimeType is not a string'],
  ])('leaves out %j with a reason', (resource, reason) => {
    const parsed = parseResources({ resources: [resource] }, 10);
    expect(parsed.ok && parsed.value.problems[0]).toContain(reason);
  });
});

describe('parseResourceTemplates', () => {
  test('reads them from resourceTemplates', () => {
    const template = { uriTemplate: 'docs://{id}', name: 'Doc', scope: 'a' };
    const parsed = parseResourceTemplates({ resourceTemplates: [template] }, 10);
    expect(parsed.ok && parsed.value.definitions).toEqual([
      { uriTemplate: 'docs://{id}', scopes: ['a'], wire: { uriTemplate: 'docs://{id}', name: 'Doc' } },
    ]);
  });

  test('leaves out one whose scheme is a variable', () => {
    const parsed = parseResourceTemplates({ resourceTemplates: [{ uriTemplate: '{+uri}', name: 'x' }] }, 10);
    expect(parsed).toMatchObject({ ok: true, value: { definitions: [] } });
  });
});
