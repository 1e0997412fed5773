import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memberSpans, memberText, withMembers } from '#adapter/member-spans.ts';

describe('the members of a JSON object by their place in its text', () => {
  test('are found whatever is between and inside them', () => {
    const text =
      ' { "a" : 12345678901234567890 , "b":"}\\"{,\\\\","c":[{"a":1},"]"] ,"d":{"e":{}},"f":null }';
    expect(
      memberSpans(text).map(({ key, valueStart, valueEnd }) => [key, text.slice(valueStart, valueEnd)]),
    ).toEqual([
      ['a', '12345678901234567890'],
      ['b', '"}\\"{,\\\\"'],
      ['c', '[{"a":1},"]"]'],
      ['d', '{"e":{}}'],
      ['f', 'null'],
    ]);
  });

  test('of one name count like JSON.parse: the last, by what the name means and not how it is written', () => {
    expect(memberText('{"result":1,"res\\u0075lt":2}', 'result')).toBe('2');
    expect(memberText('{}', 'result')).toBeUndefined();
  });

  test('give back what JSON.parse gives, for any object and any spacing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        (object, space) => {
          const text = JSON.stringify(object, undefined, space);
          const parsed: unknown = JSON.parse(text);
          const found = Object.fromEntries(
            memberSpans(text).map(({ key, valueStart, valueEnd }) => [
              key,
              JSON.parse(text.slice(valueStart, valueEnd)),
            ]),
          );
          expect(found).toEqual(parsed);
        },
      ),
    );
  });

  test('can be replaced and left out while the rest stays byte for byte', () => {
    const text = '{ "big": 9007199254740993, "a":1, "_meta":{"x":1},"a":2, "z" : 1e400 }';
    const changes = new Map([
      ['a', '3'],
      ['_meta', undefined],
    ]);
    expect(withMembers(text, changes)).toBe('{"big": 9007199254740993,"a":3,"z" : 1e400}');
  });
});
