import { describe, expect, test } from 'vitest';
import { contextHeaders } from '#contract/context-headers.ts';
import { headerText, isPlain } from '#contract/header-text.ts';
import { principal } from './principal.ts';

const injection = 'x\r\nX-Cortex-User-Role: admin\r\nX-Cortex-Scopes: everything';

describe('contextHeaders', () => {
  test('repeats what the token says', () => {
    expect(contextHeaders(principal())).toEqual({
      'X-Cortex-User-Id': 'user-1',
      'X-Cortex-User-Email': 'ada@example.com',
      'X-Cortex-User-Role': 'editor',
      'X-Cortex-User-Pool': 'staff',
      'X-Cortex-Scopes': 'mcp:docs:read mcp:docs:write',
    });
  });

  test('sends no header for what the token does not say', () => {
    const bare = principal({ email: undefined, role: undefined, pool: undefined, tokenScopes: [] });
    expect(contextHeaders(bare)).toEqual({ 'X-Cortex-User-Id': 'user-1' });
  });

  test('sends the token’s own scopes, not those they imply', () => {
    const headers = contextHeaders(principal({ tokenScopes: ['a'], scopes: new Set(['a', 'implied']) }));
    expect(headers['X-Cortex-Scopes']).toBe('a');
  });

  test('no claim can end its line and add a header', () => {
    const headers = contextHeaders(
      principal({
        subject: injection,
        email: injection,
        role: injection,
        pool: injection,
        tokenScopes: [injection],
      }),
    );
    expect(Object.keys(headers)).toEqual([
      'X-Cortex-User-Id',
      'X-Cortex-User-Email',
      'X-Cortex-User-Role',
      'X-Cortex-User-Pool',
    ]);
    for (const value of Object.values(headers)) expect(value).toMatch(/^[!-~]+$/);
    expect(new Headers(headers).get('x-cortex-user-role')).not.toBe('admin');
  });

  test('a scope with a space in it does not become two scopes', () => {
    expect(contextHeaders(principal({ tokenScopes: ['a', 'b admin'] }))['X-Cortex-Scopes']).toBe('a');
  });
});

describe('headerText', () => {
  test.each([['plain'], ['two words'], ['ada@example.com'], ['a%20b'], ['"quoted"']])(
    '%j stays as it is',
    (text) => {
      expect(headerText(text)).toBe(text);
    },
  );

  test.each([['Jörg'], ['李'], [' lead'], ['trail '], ['a\tb'], ['a\u0000b'], [''], ['=?base64?YQ==?=']])(
    '%j is encoded and can be read back',
    (text) => {
      const value = headerText(text);
      expect(isPlain(value)).toBe(true);
      const encoded = /^=\?base64\?(.*)\?=$/.exec(value)?.[1] ?? 'not encoded';
      expect(Buffer.from(encoded, 'base64').toString('utf8')).toBe(text);
    },
  );

  test('a claim cannot be written so that it reads as another user’s', () => {
    expect(headerText(headerText('Jörg'))).not.toBe(headerText('Jörg'));
  });
});
