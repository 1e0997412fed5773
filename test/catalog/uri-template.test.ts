import { describe, expect, test } from 'vitest';
import { uriMatcher } from '#catalog/uri-template.ts';
import { stopwatch } from '../support/stopwatch.ts';

function matches(template: string, uri: string): boolean {
  const matcher = uriMatcher(template);
  if (!matcher.ok) throw new Error(matcher.error);
  return matcher.value(uri);
}

describe('URI templates (RFC 6570)', () => {
  test.each([
    ['docs://{id}', 'docs://42', true],
    ['docs://{id}', 'docs://', false],
    ['docs://{id}', 'docs://a/b', false],
    ['docs://{id}', 'docs://a?x=1', false],
    ['docs://{id}', 'docs://%C3%A9t%C3%A9', true],
    ['docs://{id}', 'other://42', false],
    ['docs://{id}/meta', 'docs://42/meta', true],
    ['docs://{id}/meta', 'docs://42/meta/x', false],
    ['docs://{a}-{b}', 'docs://x-y-z', true],
    ['docs://{a,b}', 'docs://x,y', true],
    ['docs://{a}', 'docs://x,y', false],
    ['docs://{list*}', 'docs://x,y,z', true],
    ['docs://{id:3}', 'docs://abc', true],
    ['docs://{+path}', 'docs://a/b?c#d', true],
    ['docs://{+path}/end', 'docs://a/b/end', true],
    ['docs://{+path}/end', 'docs://a/b', false],
    ['docs://x{/page}', 'docs://x', true],
    ['docs://x{/page}', 'docs://x/2', true],
    ['docs://x{/page}', 'docs://x/2/3', false],
    ['docs://x{/path*}', 'docs://x/2/3/4', true],
    ['docs://x{.ext}', 'docs://x.pdf', true],
    ['docs://x{#part}', 'docs://x#a/b', true],
    ['docs://x{;v}', 'docs://x;v=1', true],
    ['docs://x{?q,limit}', 'docs://x', true],
    ['docs://x{?q,limit}', 'docs://x?q=a&limit=2', true],
    ['docs://x{?q,limit}', 'docs://x?limit=2', true],
    ['docs://x{?q,limit}', 'docs://x?q=', true],
    ['docs://x{?q,limit}', 'docs://x?admin=1', false],
    ['docs://x{?q,limit}', 'docs://x?q=a&admin=1', false],
    ['docs://x{?params*}', 'docs://x?any=1&thing=2', true],
    ['docs://x?fixed=1{&q}', 'docs://x?fixed=1&q=2', true],
    ['docs://plain', 'docs://plain', true],
    ['docs://plain', 'docs://plainer', false],
  ])('%s and %s: %j', (template, uri, expected) => {
    expect(matches(template, uri)).toBe(expected);
  });

  test.each([
    'docs://public/../secret',
    'docs://public/..',
    'docs://public/%2e%2e/secret',
    'docs://public/%2E%2e%2Fsecret',
    'docs://public/..%5Csecret',
    'docs://public/..\\secret',
    'docs://public/./x',
    'docs://public/a/..?x',
  ])('a URI that an application could normalise out of the template is refused: %s', (uri) => {
    expect(matches('docs://public/{+path}', uri)).toBe(false);
  });

  test('dots that are no segment of their own are fine', () => {
    expect(matches('docs://public/{+path}', 'docs://public/a..b/.hidden/c.')).toBe(true);
  });

  test.each([
    ['docs://{a', 'unbalanced'],
    ['docs://a}', 'unbalanced'],
    ['docs://{}', 'bad_expression'],
    ['docs://{=a}', 'bad_expression'],
    ['docs://{a b}', 'bad_expression'],
    ['docs://{a,}', 'bad_expression'],
    [`docs://${'{a}'.repeat(33)}`, 'too_many_variables'],
    [`docs://${'x'.repeat(2_048)}`, 'too_long'],
  ])('%s is refused: %s', (template, fault) => {
    expect(uriMatcher(template)).toEqual({ ok: false, error: fault });
  });

  test('a template made to be slow is not', () => {
    const matcher = uriMatcher(`docs://${'{+a}x'.repeat(32)}!`);
    if (!matcher.ok) throw new Error(matcher.error);
    const elapsedMs = stopwatch();
    expect(matcher.value(`docs://${'x'.repeat(4_000)}`)).toBe(false);
    expect(elapsedMs()).toBeLessThan(1_000);
  });

  test('a URI of more than 4096 characters matches nothing', () => {
    expect(matches('docs://{id}', `docs://${'x'.repeat(4_090)}`)).toBe(false);
  });
});
