import { describe, expect, test } from 'vitest';
import { metadataUrlFor, protectedResourceMetadata } from '#auth/protected-resource.ts';

const options = {
  canonicalUrl: 'https://mcp.example.com/mcp',
  issuers: [{ url: 'https://id.example' }, { url: 'https://login.example/tenant/' }],
  baselineScopes: ['base', 'offline_access'],
};

describe('the protected-resource metadata', () => {
  test('says whose tokens are accepted, and how (R34, R37)', () => {
    expect(protectedResourceMetadata(options, { search: '' })).toEqual({
      resource: 'https://mcp.example.com/mcp',
      authorization_servers: ['https://id.example', 'https://login.example/tenant/'],
      scopes_supported: ['base'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    });
  });

  test.each([
    [['off', 'off'], undefined, undefined],
    [['off', 'allow'], 5, undefined],
    [['require', 'allow'], 5, undefined],
    [['require', 'require'], 5, true],
  ] as const)('says of issuers with %j whether tokens are bound to keys', (policies, count, isRequired) => {
    const issuers = policies.map((dpop, index) => ({ url: `https://${index}.example`, dpop }));
    const document = protectedResourceMetadata({ ...options, issuers }, { search: '' });
    const { dpop_signing_alg_values_supported: algorithms } = document;
    expect(Array.isArray(algorithms) ? algorithms.length : undefined).toBe(count);
    expect(document.dpop_bound_access_tokens_required).toBe(isRequired);
  });

  test.each([[[]], [['offline_access']]])(
    'names no scopes where the baseline is %j (R37)',
    (baselineScopes) => {
      const document = protectedResourceMetadata({ ...options, baselineScopes }, { search: '' });
      expect(document).not.toHaveProperty('scopes_supported');
    },
  );

  test.each([
    'https://mcp.example.com',
    'https://mcp.example.com/',
    'https://MCP.example.com:443/mcp',
    'https://mcp.example.com/a/../mcp',
    'https://mcp.example.com/mcp/',
  ])('repeats the public URL %s byte for byte (R34)', (canonicalUrl) => {
    expect(protectedResourceMetadata({ ...options, canonicalUrl }, { search: '' }).resource).toBe(
      canonicalUrl,
    );
  });

  test('echoes a query of known choices in resource, and no other (R34)', () => {
    const resource = (search: string) => protectedResourceMetadata(options, { search }).resource;
    expect(resource('?mode=search')).toBe('https://mcp.example.com/mcp?mode=search');
    expect(resource('?backends=a,b&mode=full')).toBe('https://mcp.example.com/mcp?backends=a,b&mode=full');
    expect(resource('?mode=search&utm=1')).toBe('https://mcp.example.com/mcp');
    expect(resource(`?mode=${'a'.repeat(2_100)}`)).toBe('https://mcp.example.com/mcp');
  });
});

describe('the address of the metadata', () => {
  test.each([
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'],
    ['https://mcp.example.com', 'https://mcp.example.com/.well-known/oauth-protected-resource'],
    ['https://mcp.example.com/', 'https://mcp.example.com/.well-known/oauth-protected-resource'],
    ['http://127.0.0.1:3213/a/mcp', 'http://127.0.0.1:3213/.well-known/oauth-protected-resource/a/mcp'],
  ])('of %s is %s (RFC 9728 section 3.1)', (canonicalUrl, expected) => {
    expect(metadataUrlFor(canonicalUrl, { search: '' })).toBe(expected);
    expect(metadataUrlFor(canonicalUrl, { search: '?mode=search' })).toBe(`${expected}?mode=search`);
  });
});
