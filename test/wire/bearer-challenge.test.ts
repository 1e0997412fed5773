import { describe, expect, test } from 'vitest';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { stopwatch } from '../support/stopwatch.ts';

const nothing = { error: undefined, scopes: undefined, resourceMetadata: undefined };

describe('a server’s challenge (RFC 6750, RFC 9728)', () => {
  test.each([
    ['Bearer', nothing],
    ['bearer', nothing],
    ['Bearer error="invalid_token"', { ...nothing, error: 'invalid_token' }],
    ['Bearer error=invalid_token,scope="a b"', { ...nothing, error: 'invalid_token', scopes: ['a', 'b'] }],
    ['Bearer SCOPE="a  b a"', { ...nothing, scopes: ['a', 'b'] }],
    ['Bearer scope=""', nothing],
    ['Bearer scope=a', { ...nothing, scopes: ['a'] }],
    ['Bearer scope="a", scope="b"', { ...nothing, scopes: ['a'] }],
    ['Bearer scope = "a"', { ...nothing, scopes: ['a'] }],
    [
      'Bearer resource_metadata="https://x.example/y"',
      { ...nothing, resourceMetadata: 'https://x.example/y' },
    ],
    ['Bearer realm="a \\"scope=\\" b", scope="c"', { ...nothing, scopes: ['c'] }],
    ['Basic realm="Bearer scope=x", Bearer scope="c"', { ...nothing, scopes: ['c'] }],
    ['Negotiate abc==, Bearer scope="c"', { ...nothing, scopes: ['c'] }],
    ['Bearer scope="c", Basic realm="x", error="no"', { ...nothing, scopes: ['c'] }],
    ['DPoP algs="ES256", Bearer error="insufficient_scope"', { ...nothing, error: 'insufficient_scope' }],
  ])('%s', (header, expected) => {
    expect(parseBearerChallenge(header)).toEqual(expected);
  });

  test.each([undefined, '', 'Basic realm="Bearer"', 'Digest realm="x", nonce="y"', '"', '=,=,=', '\u0000'])(
    '%j is none',
    (header) => {
      expect(parseBearerChallenge(header)).toBeUndefined();
    },
  );

  test('of any length takes no time, and names a hundred scopes at most', () => {
    const elapsedMs = stopwatch();
    for (const filler of ['a', ' ', ',', '"', '\\', 'a="', 'Bearer ', 'a=b,'])
      parseBearerChallenge(filler.repeat(50_000));
    expect(elapsedMs()).toBeLessThan(500);
    const many = Array.from({ length: 1_000 }, (_, index) => `s${index}`).join(' ');
    expect(parseBearerChallenge(`Bearer scope="${many}"`)?.scopes).toHaveLength(100);
  });
});
