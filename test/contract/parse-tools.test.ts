import { describe, expect, test } from 'vitest';
import { parseTools } from '#contract/parse-tools.ts';

function parse(...tools: readonly unknown[]) {
  const parsed = parseTools({ tools }, 100);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe('parseTools', () => {
  test('keeps what clients see verbatim, unknown members included, and takes out what is the contract’s own (R20)', () => {
    const outputSchema = { type: 'array', items: { $ref: 'https://example.com/x.json' } };
    const { definitions, problems } = parse({
      name: 'search',
      scope: 'mcp:docs:read',
      description: 'Search.',
      title: 'Search documents',
      inputSchema: { type: 'object', properties: { q: { type: 'string', 'x-mcp-header': 'Q' } }, $defs: {} },
      outputSchema,
      annotations: { readOnlyHint: true, idempotentHint: true, vendor: 1 },
      icons: [{ src: 'https://example.com/i.png' }],
      _meta: { 'example.com/x': [1] },
      'x-unknown': { deep: [null] },
      params: { ignored: 'string' },
      version: '1.2.0',
      deprecated: { removedAt: '2027-01-01' },
    });
    expect(problems).toEqual([]);
    expect(definitions).toEqual([
      {
        name: 'search',
        scopes: ['mcp:docs:read'],
        description: 'Search.',
        inputSchema: {
          type: 'object',
          properties: { q: { type: 'string', 'x-mcp-header': 'Q' } },
          $defs: {},
        },
        hasOutputSchema: true,
        isReadOnly: true,
        isIdempotent: true,
        version: '1.2.0',
        deprecated: { removedAt: '2027-01-01' },
        wire: {
          description: 'Search.',
          title: 'Search documents',
          inputSchema: {
            type: 'object',
            properties: { q: { type: 'string', 'x-mcp-header': 'Q' } },
            $defs: {},
          },
          outputSchema,
          annotations: { readOnlyHint: true, idempotentHint: true, vendor: 1 },
          icons: [{ src: 'https://example.com/i.png' }],
          _meta: { 'example.com/x': [1] },
          'x-unknown': { deep: [null] },
        },
      },
    ]);
  });

  test('turns the shorthand into a schema', () => {
    const [tool] = parse({
      name: 't',
      params: {
        q: 'string',
        limit: 'number?',
        deep: 'boolean',
        tags: 'string[]',
        ids: 'number[]?',
        on: 'boolean[]',
      },
    }).definitions;
    expect(tool?.inputSchema).toEqual({
      type: 'object',
      properties: {
        q: { type: 'string' },
        limit: { type: 'number' },
        deep: { type: 'boolean' },
        tags: { type: 'array', items: { type: 'string' } },
        ids: { type: 'array', items: { type: 'number' } },
        on: { type: 'array', items: { type: 'boolean' } },
      },
      required: ['q', 'deep', 'tags', 'on'],
    });
    expect(tool?.wire.inputSchema).toEqual(tool?.inputSchema);
  });

  test('a tool without parameters has the empty object schema', () => {
    expect(parse({ name: 't' }).definitions[0]?.inputSchema).toEqual({ type: 'object', properties: {} });
  });

  test('a parameter called __proto__ stays a parameter', () => {
    const answer: unknown = JSON.parse('{"tools":[{"name":"t","params":{"__proto__":"string"}}]}');
    const parsed = parseTools(answer, 10);
    const schema = parsed.ok ? parsed.value.definitions[0]?.inputSchema : undefined;
    expect(JSON.stringify(schema)).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
    );
  });

  test.each([
    ['a string', 'mcp:a', ['mcp:a']],
    ['a list', ['mcp:a', 'mcp:b'], ['mcp:a', 'mcp:b']],
    ['a list with repetitions', ['mcp:a', 'mcp:a'], ['mcp:a']],
    ['several in one string, as OAuth writes them', 'mcp:a  mcp:b', ['mcp:a', 'mcp:b']],
    ['nothing', undefined, []],
    ['null', null, []],
    ['an empty string', '', []],
    ['an empty list', [], []],
  ])('reads the scope from %s', (_title, scope, scopes) => {
    expect(parse({ name: 't', scope }).definitions[0]?.scopes).toEqual(scopes);
  });

  test.each([
    ['no object', 7, 'not an object'],
    ['a list', [], 'not an object'],
    ['no name', { scope: 'a' }, 'no name'],
    ['an empty name', { name: '' }, 'no name'],
    ['a number as name', { name: 5 }, 'no name'],
    ['a control character in the name', { name: 'a\nb' }, 'control character'],
    ['an endless name', { name: 'x'.repeat(3_000) }, 'longer than'],
    ['a scope that is a number', { name: 't', scope: 1 }, 'scope is neither'],
    ['a scope list with a number', { name: 't', scope: ['a', 1] }, 'scope is neither'],
    ['a scope in a list that reads as two', { name: 't', scope: ['a b'] }, 'scope holds a character'],
    ['a scope with a quote', { name: 't', scope: 'a"b' }, 'scope holds a character'],
    ['a description that is no text', { name: 't', description: 5 }, 'description is not a string'],
    ['annotations that are a list', { name: 't', annotations: [] }, 'annotations is not an object'],
    ['icons that are an object', { name: 't', icons: {} }, 'icons is not a list of objects'],
    ['_meta that is a text', { name: 't', _meta: 'x' }, '_meta is not an object'],
    ['an inputSchema that is a text', { name: 't', inputSchema: 'x' }, 'inputSchema is not an object'],
    ['an inputSchema of another type', { name: 't', inputSchema: { type: 'array' } }, '"type": "object"'],
    ['an inputSchema without a type', { name: 't', inputSchema: {} }, '"type": "object"'],
    ['an outputSchema that is a list', { name: 't', outputSchema: [] }, 'outputSchema is not an object'],
    ['params that are a list', { name: 't', params: ['q'] }, 'params is not an object'],
    ['an unknown shorthand', { name: 't', params: { q: 'int' } }, 'params."q" is none of'],
    ['a shorthand that is no text', { name: 't', params: { q: {} } }, 'params."q" is none of'],
  ])('leaves out a tool with %s, says why, and keeps the others', (_title, tool, reason) => {
    const { definitions, problems } = parse({ name: 'good', scope: 'a' }, tool);
    expect(definitions.map((definition) => definition.name)).toEqual(['good']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
    expect(problems[0]).toContain('left out');
  });

  test('leaves out a tool that nests without end', () => {
    let schema: object = { type: 'object' };
    for (let i = 0; i < 5_000; i++) schema = { type: 'object', properties: { a: schema } };
    expect(parse({ name: 't', inputSchema: schema }).problems[0]).toContain('nests deeper');
  });

  test('ignores a version and a deprecation of the wrong type, and reports them', () => {
    const { definitions, problems } = parse({ name: 't', version: 1, deprecated: true });
    expect(definitions[0]).toMatchObject({ version: undefined, deprecated: undefined });
    expect(problems).toHaveLength(2);
  });

  test('of two tools with one name the first stays', () => {
    const { definitions, problems } = parse({ name: 't', scope: 'a' }, { name: 't', scope: 'b' });
    expect(definitions.map((tool) => tool.scopes)).toEqual([['a']]);
    expect(problems).toEqual(['tool "t": left out, an earlier one has the same name']);
  });

  test('gives the same list whatever the order of the answer (R16)', () => {
    const names = ['b', 'a', 'Z', 'a_1'];
    const order = (list: readonly string[]) => parse(...list.map((name) => ({ name }))).definitions;
    expect(order(names)).toEqual(order([...names].reverse()));
    expect(order(names).map((tool) => tool.name)).toEqual(['Z', 'a', 'a_1', 'b']);
  });

  test('stops at the limit and says so', () => {
    const tools = Array.from({ length: 5 }, (_, index) => ({ name: `t${index}` }));
    const parsed = parseTools({ tools }, 3);
    expect(parsed).toMatchObject({ ok: true, value: { definitions: { length: 3 } } });
    expect(parsed.ok && parsed.value.problems[0]).toContain('first 3');
  });

  test('reports a hundred problems, then only their number', () => {
    const { problems } = parse(...Array.from({ length: 1_000 }, () => 1));
    expect(problems).toHaveLength(101);
    expect(problems[100]).toBe('900 more problems');
  });

  test.each([[undefined], [null], ['x'], [[]], [{}], [{ tools: {} }], [{ error: 'down' }]])(
    '%j is no catalog, and not an empty one',
    (answer) => {
      expect(parseTools(answer, 10).ok).toBe(false);
    },
  );
});
