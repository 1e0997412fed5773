import { describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { paramHeaders } from '#wire/param-headers.ts';
import { stopwatch } from '../support/stopwatch.ts';

const annotated = (header: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': header }) as const;
const fault = (schema: unknown) => {
  const result = paramHeaders(JSON.parse(JSON.stringify(schema)));
  return result.ok ? undefined : result.error.fault;
};

describe('arguments mirrored into headers (R4, R42)', () => {
  test('are found at any depth along properties, in the order of the schema', () => {
    const schema: JsonObject = {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        query: { type: 'string' },
        page: {
          type: 'object',
          properties: {
            size: { type: 'integer', 'x-mcp-header': 'Page-Size' },
            dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
          },
        },
      },
    };
    expect(paramHeaders(schema)).toEqual({
      ok: true,
      value: [
        { header: 'Region', path: ['region'], type: 'string' },
        { header: 'Page-Size', path: ['page', 'size'], type: 'integer' },
        { header: 'Dry', path: ['page', 'dry'], type: 'boolean' },
      ],
    });
  });

  test.each(['', 'a b', 'a\r\nSet-Cookie: x', 'ä', 'a:b', 'a(b)', 'x'.repeat(129), 7, null])(
    'need a field-name token: %j',
    (header) => {
      expect(fault({ properties: { a: annotated(header) } })).toBe('not_a_token');
    },
  );

  test.each(['number', 'object', 'array', 'null', undefined, ['string', 'null']])(
    'need a primitive type, not %j',
    (type) => {
      expect(fault({ properties: { a: { type, 'x-mcp-header': 'A' } } })).toBe('not_primitive');
    },
  );

  test('need names that differ in more than case', () => {
    expect(fault({ properties: { a: annotated('Region'), b: annotated('REGION') } })).toBe('not_unique');
  });

  test.each([
    ['items', { properties: { a: { type: 'array', items: annotated('A') } } }],
    ['prefixItems', { properties: { a: { prefixItems: [annotated('A')] } } }],
    ['oneOf', { properties: { a: { oneOf: [annotated('A')] } } }],
    ['anyOf', { anyOf: [{ properties: { a: annotated('A') } }] }],
    ['allOf', { allOf: [{ properties: { a: annotated('A') } }] }],
    ['not', { not: { properties: { a: annotated('A') } } }],
    ['if', { if: { properties: { a: annotated('A') } } }],
    ['then', Object.fromEntries([['then', { properties: { a: annotated('A') } }]])],
    ['else', { else: { properties: { a: annotated('A') } } }],
    ['$defs', { $defs: { a: annotated('A') } }],
    ['properties below $defs', { $defs: { a: { properties: { b: annotated('B') } } } }],
    ['additionalProperties', { additionalProperties: annotated('A') }],
    ['patternProperties', { patternProperties: { '^x': annotated('A') } }],
    ['dependentSchemas', { dependentSchemas: { x: { properties: { a: annotated('A') } } } }],
    ['an unknown keyword', { 'x-vendor': { properties: { a: annotated('A') } } }],
    ['the root', { type: 'string', 'x-mcp-header': 'Root' }],
  ])('are refused under %s', (_where, schema) => {
    expect(fault(schema)).toBe('not_reachable');
  });

  test('are not seen in data: defaults, constants, enumerations, examples, or a property of that name', () => {
    const data = annotated('A');
    const schema = { default: data, examples: [data], properties: { a: { const: data, enum: [data] } } };
    expect(paramHeaders(JSON.parse(JSON.stringify(schema)))).toEqual({ ok: true, value: [] });
    expect(paramHeaders({ properties: { 'x-mcp-header': { type: 'string' } } })).toEqual({
      ok: true,
      value: [],
    });
  });

  test('a schema nested a hundred thousand deep takes no time and no stack', () => {
    let schema: JsonObject = { type: 'string', 'x-mcp-header': 'Deep' };
    for (let depth = 0; depth < 100_000; depth++) schema = { properties: { a: schema } };
    const elapsedMs = stopwatch();
    expect(paramHeaders(schema)).toMatchObject({ ok: false, error: { fault: 'not_reachable' } });
    expect(elapsedMs()).toBeLessThan(2_000);
  });

  test('are at most 64', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 65 }, (_, i) => [`p${i}`, annotated(`H${i}`)]),
    );
    expect(fault({ properties })).toBe('too_many');
  });
});
