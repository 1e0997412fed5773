import { describe, expect, test } from 'vitest';
import { createVerifiedTokens } from '#auth/verified-tokens.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';

function principal(subject: string, expiresAt = 1_000): Principal {
  return {
    kind: 'user',
    issuer: 'https://id.example',
    subject,
    key: subject,
    clientId: undefined,
    tokenScopes: [],
    scopes: new Set(),
    scopeKey: '',
    plan: undefined,
    email: undefined,
    role: undefined,
    pool: undefined,
    tokenId: undefined,
    sessionId: undefined,
    grantId: undefined,
    audience: [],
    issuedAt: 0,
    expiresAt,
    token: new Secret(subject),
    tokenKind: 'jwt',
  };
}

describe('the cache of verified tokens', () => {
  test('knows a token by its SHA-256', () => {
    expect(createVerifiedTokens(10).keyOf('abc')).toBe('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=');
  });

  test('forgets a token at its end', () => {
    const tokens = createVerifiedTokens(10);
    const alice = principal('alice', 1_000);
    tokens.set('a', alice);
    expect(tokens.get('a', 999_999)).toBe(alice);
    expect(tokens.get('a', 1_000_000)).toBeUndefined();
  });

  test('never holds more than its bound, however many tokens come', () => {
    const tokens = createVerifiedTokens(100);
    for (let at = 0; at < 1_000; at += 1) {
      tokens.set(`t${at}`, principal(`p${at}`));
      tokens.get('t0', 0);
      expect(tokens.size).toBeLessThanOrEqual(100);
    }
  });

  test('keeps what is in use and lets go of what is not', () => {
    const tokens = createVerifiedTokens(100);
    const used = principal('used');
    tokens.set('used', used);
    tokens.set('idle', principal('idle'));
    for (let at = 0; at < 300; at += 1) {
      tokens.set(`t${at}`, principal(`p${at}`));
      expect(tokens.get('used', 0)).toBe(used);
    }
    expect(tokens.get('idle', 0)).toBeUndefined();
  });

  test('changes its generation when cleared', () => {
    const tokens = createVerifiedTokens(10);
    tokens.set('a', principal('alice'));
    const { generation } = tokens;
    tokens.clear();
    expect(tokens.get('a', 0)).toBeUndefined();
    expect(tokens.size).toBe(0);
    expect(tokens.generation).not.toBe(generation);
  });
});
