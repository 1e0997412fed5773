import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createUris, publicContent, publicContents, publicMessages } from '#adapter/uris.ts';

const uris = createUris('srv', 'rewrite');

describe('a server’s URIs (R31)', () => {
  const pairs: readonly (readonly [own: string, known: string])[] = [
    ['test://a/b', 'test://srv/a/b'],
    ['ui://page', 'ui://srv/page'],
    ['file:///p', 'file://srv//p'],
    ['urn:isbn:1', 'urn:srv/isbn:1'],
    ['test://notes/{id}', 'test://srv/notes/{id}'],
    ['test://srv/a', 'test://srv/srv/a'],
    ['https://example.com/a', 'https://example.com/a'],
  ];
  test.each(pairs)('%s is %s outside, and back', (own, known) => {
    expect(uris.toPublic(own)).toBe(known);
    expect(uris.toOwn(known)).toBe(own);
  });

  test('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.constantFrom('a:', 'a://', 'a+b:///'), fc.string(), (start, rest) => {
        expect(uris.toOwn(uris.toPublic(start + rest))).toBe(start + rest);
      }),
    );
  });

  test('of another server, and what is no URI, are not its own', () => {
    for (const foreign of ['test://other/a', 'test://srvx/a', 'test://srv', 'test://a/srv/b', 'no uri']) {
      expect(uris.toOwn(foreign)).toBeUndefined();
    }
  });

  test('stay as they are where the operator says so', () => {
    const kept = createUris('srv', 'keep');
    expect(kept.toPublic('test://a')).toBe('test://a');
    expect(kept.toOwn('test://a')).toBe('test://a');
  });

  test('are changed in links, embedded resources, messages and contents, and nowhere else', () => {
    const link = { type: 'resource_link', uri: 'test://a', name: 'a' };
    const embedded = {
      type: 'resource',
      resource: { uri: 'test://b', text: 'test://b' },
      annotations: { x: 1 },
    };
    const text = { type: 'text', text: 'see test://c', uri: 'test://c' };
    expect(publicContent([link, embedded, text], uris)).toEqual([
      { ...link, uri: 'test://srv/a' },
      { ...embedded, resource: { uri: 'test://srv/b', text: 'test://b' } },
      text,
    ]);
    expect(publicMessages([{ role: 'user', content: link }], uris)).toEqual([
      { role: 'user', content: { ...link, uri: 'test://srv/a' } },
    ]);
    expect(publicContents([{ uri: 'test://a', blob: '' }], uris)).toEqual([
      { uri: 'test://srv/a', blob: '' },
    ]);
    const plain = [text];
    expect(publicContent(plain, uris)).toBe(plain);
  });
});
