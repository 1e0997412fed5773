import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from '#wire/header-value.ts';

describe('a mirrored header value (R3, R4)', () => {
  test.each([
    ['us-west1', 'us-west1'],
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    [' padded ', '=?base64?IHBhZGRlZCA=?='],
    ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
    ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
    ['a\tb c', 'a\tb c'],
    ['', ''],
  ])('of %j is %j, there and back', (value, header) => {
    expect(encodeHeaderValue(value)).toBe(header);
    expect(decodeHeaderValue(header)).toBe(value);
  });

  test.each([
    '=?base64?!!!?=',
    '=?base64?QQ?=',
    '=?base64?QQ=?=',
    '=?base64?QR==?=',
    '=?base64?/w==?=',
    '=?base64?QUJD\n?=',
    'z\u00fcrich',
    ' leading',
    'trailing\t',
    'a\u0000b',
    'a\u007fb',
    'a\r\nX-Evil: 1',
  ])('%j is malformed', (header) => {
    expect(decodeHeaderValue(header)).toBeUndefined();
  });

  test.each(['=?BASE64?QQ==?=', '=?base64?QQ==', 'QQ==?=', '=?base64'])(
    '%j is plain text: the markers are exact',
    (header) => {
      expect(decodeHeaderValue(header)).toBe(header);
    },
  );

  test('of any text survives, and is nothing but what a header may hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (value) => {
        const header = encodeHeaderValue(value);
        expect(header).toMatch(/^[\x20-\x7e\t]*$/);
        expect(new Headers({ x: header }).get('x')).toBe(header);
        expect(decodeHeaderValue(header)).toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });
});
