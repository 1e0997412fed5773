import { describe, expect, test } from 'vitest';
import { checkAuthOptions } from '#auth/check-options.ts';
import type { AuthOptions, IssuerOptions } from '#auth/options.ts';

const good: AuthOptions = {
  canonicalUrl: 'https://mcp.example.com/mcp',
  issuers: [{ url: 'https://id.example' }],
  baselineScopes: [],
  challengeScopes: 'plans',
  plans: new Map(),
  scopeImplies: new Map(),
  requiredPool: undefined,
};

function check(over: Partial<AuthOptions>): () => void {
  return () => checkAuthOptions({ ...good, ...over });
}
function checkIssuer(over: Partial<IssuerOptions>): () => void {
  return check({ issuers: [{ url: 'https://id.example', ...over }] });
}

describe('options that fail the start', () => {
  test('are none of the usual ones', () => {
    expect(check({})).not.toThrow();
    expect(check({ canonicalUrl: 'HTTPS://MCP.example.com:443/mcp' })).not.toThrow();
    expect(
      checkIssuer({
        url: 'http://127.0.0.1:3220/tenant/',
        algorithms: ['ES512', 'Ed25519'],
        audience: ['x'],
      }),
    ).not.toThrow();
  });

  test.each([
    'mcp.example.com',
    'ftp://x/mcp',
    'https://x/mcp?a=1',
    'https://x/mcp#a',
    'https://x/"',
    'https:///mcp',
  ])('are the canonical URL %s', (canonicalUrl) => {
    expect(check({ canonicalUrl })).toThrow(/canonical URL .* is not an http\(s\) URL/);
  });

  test.each(['HS256', 'none', 'HS512', 'rs256', ''])('are the algorithm "%s"', (algorithm) => {
    expect(checkIssuer({ algorithms: ['RS256', algorithm] })).toThrow(/allows the algorithm/);
  });

  test('are empty lists that would refuse or accept everything', () => {
    expect(checkIssuer({ algorithms: [] })).toThrow(/allows no algorithm/);
    expect(checkIssuer({ audience: [] })).toThrow(/empty audience/);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('are the maximum age %d', (maxTokenAgeSeconds) => {
    expect(checkIssuer({ maxTokenAgeSeconds })).toThrow(/maximum token age/);
  });

  test('are an issuer twice, one that is no URL, and keys that are at no URL', () => {
    const issuer = { url: 'https://id.example' };
    expect(check({ issuers: [issuer, issuer] })).toThrow(/configured twice/);
    expect(checkIssuer({ url: 'id.example' })).toThrow(/issuer "id.example" is not/);
    expect(checkIssuer({ jwksUri: 'keys.json' })).toThrow(/jwks_uri that is not a URL/);
  });

  test.each<[string, Partial<AuthOptions>]>([
    ['the baseline', { baselineScopes: ['a b'] }],
    ['the challenge', { challengeScopes: ['a"b'] }],
    ['a plan', { plans: new Map([['pro', ['']]]) }],
    ['an implying scope', { scopeImplies: new Map([['a b', []]]) }],
    ['an implied scope', { scopeImplies: new Map([['a', ['b\n']]]) }],
  ])('are what is no scope in %s', (_where, over) => {
    expect(check(over)).toThrow(/is not a scope/);
  });
});
