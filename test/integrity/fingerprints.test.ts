import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRoom, emptyBaseline, withPins } from '#integrity/baseline.ts';
import { type Definition, definitionFields, fieldPrints, printOf } from '#integrity/definition-fields.ts';
import { contentOf, createPin, readPin } from '#integrity/pin.ts';
import { canonicalJson, isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';

function definition(wire: JsonObject, over: Partial<Definition> = {}): Definition {
  return { scopes: ['a', 'b'], wire, version: undefined, deprecated: undefined, ...over };
}
const print = (one: Definition) => printOf('tool', definitionFields(one, true));
const parsed = (text: string): JsonObject => {
  const read = parseJson(text);
  if (!read.ok || !isJsonObject(read.value)) throw new Error(text);
  return read.value;
};

/** The same value with the keys of each object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  );
}

describe('a fingerprint', () => {
  test('is the same for the same definition, whatever the order of keys and scopes, and for no other', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (a, b) => {
          const [one, other] = [parsed(JSON.stringify(a)), parsed(JSON.stringify(b))];
          const again = shuffled(one);
          if (!isJsonObject(again)) throw new Error('no object');
          expect(print(definition(again, { scopes: ['b', 'a'] }))).toBe(print(definition(one)));
          expect(print(definition(one)) === print(definition(other))).toBe(
            canonicalJson(one) === canonicalJson(other),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    [
      'a member called __proto__',
      '{"inputSchema":{"__proto__":{"x":1}}}',
      '{"inputSchema":{"__proto__":{"x":2}}}',
    ],
    ['a member __proto__ of the definition', '{"__proto__":{"x":1}}', '{"__proto__":{"x":2}}'],
    ['a member that is called as a field of ours', '{"scope":"x"}', '{"scope":"y"}'],
    [
      'a member that hides behind another',
      '{"scope":"x","wire.scope":"y"}',
      '{"scope":"y","wire.scope":"x"}',
    ],
    ['a null for an absent member', '{"title":null}', '{}'],
    ['a number for a text', '{"x":1}', '{"x":"1"}'],
    ['a list for an object', '{"x":["a"]}', '{"x":{"0":"a"}}'],
    ['the order of a list', '{"x":["a","b"]}', '{"x":["b","a"]}'],
    ['half a surrogate pair', '{"x":"\\ud800"}', '{"x":"\\ufffd"}'],
    ['another spelling of the same letter', '{"x":"\\u00e9"}', '{"x":"e\\u0301"}'],
    ['an invisible character', '{"x":"ab"}', '{"x":"a\\u200bb"}'],
  ])('tells apart by %s', (_what, a, b) => {
    expect(print(definition(parsed(a)))).not.toBe(print(definition(parsed(b))));
  });

  test('leaves the scopes out where they are the operator’s own word', () => {
    const of = (scopes: readonly string[]) =>
      printOf('tool', definitionFields(definition({}, { scopes }), false));
    expect(of(['a'])).toBe(of(['b']));
  });

  test('of one kind is none of another', () => {
    expect(printOf('tool', {})).not.toBe(printOf('prompt', {}));
  });
});

describe('a pin', () => {
  const id = { backend: 'notes', kind: 'tool', name: 'list\n"x"' } as const;
  const fields = { description: 'Lists.', scope: ['a'] };

  test('reads back what it was written from, on one line', () => {
    const pin = createPin(id, 'p', fields, true);
    expect(pin.line).not.toContain('\n');
    expect(readPin(pin.line)).toEqual(pin);
    expect(contentOf(pin)).toEqual({ kind: 'fields', fields });
  });

  test('of one person holds fingerprints and no text', () => {
    const pin = createPin(id, 'p', fields, false);
    expect(pin.line).not.toContain('Lists.');
    expect(contentOf(pin)).toEqual({ kind: 'prints', prints: fieldPrints(fields) });
  });

  test('is not read from a line that is none', () => {
    for (const line of ['', '{}', '[]', '{"backend":"b","kind":"x","name":"n","print":"p","fields":{}}'])
      expect(readPin(line)).toBeUndefined();
  });
});

describe('what is remembered of one backend', () => {
  const pinOf = (backend: string, name: string) => createPin({ backend, kind: 'tool', name }, name, {}, true);

  test('is bounded, and one that invents names takes no room of another', () => {
    const full = withPins(
      emptyBaseline,
      Array.from({ length: limits.maxPinsPerBackend }, (_, index) => pinOf('greedy', `tool${index}`)),
    );
    const room = createRoom(full);
    expect(room.take(pinOf('greedy', 'one more'))).toBe(false);
    expect(room.take(pinOf('notes', 'list'))).toBe(true);
    const text = 'x'.repeat(limits.maxPinnedCharactersPerBackend);
    expect(
      createRoom(emptyBaseline).take(
        createPin({ backend: 'b', kind: 'tool', name: 'n' }, 'p', { text }, true),
      ),
    ).toBe(false);
  });

  test('holds at most so many definitions of one item, the newest', () => {
    const id = { backend: 'lin', kind: 'tool', name: 'find' } as const;
    const pins = Array.from({ length: 40 }, (_, index) => createPin(id, `p${index}`, {}, false));
    const kept = [...withPins(emptyBaseline, pins).pins.values()].flat();
    expect(kept).toHaveLength(limits.maxPinnedVariants);
    expect(kept.at(-1)?.print).toBe('p39');
  });
});
