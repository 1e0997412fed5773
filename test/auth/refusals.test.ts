import { createHmac } from 'node:crypto';
import { exportSPKI } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IssuerOptions } from '#auth/options.ts';
import { type AuthRefusalReason, authRefusalReasons } from '#auth/refusal.ts';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import { canonicalUrl, createResourceServer, goodClaims, type ResourceServer } from './resource-server.ts';

let server: KeyServer;
let down: KeyServer;
let key: SigningKey;
let stranger: SigningKey;

beforeAll(async () => {
  server = startKeyServer();
  down = startKeyServer();
  down.isDown = true;
  key = await makeKey('RS256', 'k1');
  stranger = await makeKey('RS256', 'k1');
  publish(server, [key]);
  server.documents.set('/keys', {
    keys: [key.jwk, { kty: 'RSA', kid: 'broken', alg: 'RS256', n: 'AQAB', e: 'AQAB' }],
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await down[Symbol.asyncDispose]();
});

const metadata = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';
const scope = 'scope="base notes:read notes:write"';

const noToken = {
  status: 401,
  challenge: `Bearer ${metadata}, ${scope}`,
  body: {
    error: 'unauthorized',
    error_description: 'This resource needs a bearer access token in the Authorization header.',
  },
};
const badToken = {
  status: 401,
  challenge: `Bearer error="invalid_token", error_description="The access token is not valid for this resource. Get a new one.", ${metadata}, ${scope}`,
  body: {
    error: 'invalid_token',
    error_description: 'The access token is not valid for this resource. Get a new one.',
  },
};

type Case = {
  readonly title: string;
  readonly reason: AuthRefusalReason;
  readonly wire: { readonly status: number; readonly challenge: string | null; readonly body: unknown };
  readonly query?: string;
  readonly issuer?: Partial<IssuerOptions>;
  readonly authorization: (gateway: ResourceServer) => Promise<string | undefined> | string | undefined;
};

/** A good token but for these claims and this header. */
function token(claims: Record<string, unknown>, header: Record<string, unknown> = {}, signer = () => key) {
  return (gateway: ResourceServer) =>
    sign(
      signer(),
      { ...goodClaims(server.origin, gateway.clock), scope: 'base', pool: 'staff', ...claims },
      header,
    );
}

function inSeconds(claim: string, offset: number) {
  return (gateway: ResourceServer) =>
    sign(key, { ...goodClaims(server.origin, gateway.clock), [claim]: gateway.clock.seconds() + offset });
}

function unsigned(header: object, gateway: ResourceServer, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(goodClaims(server.origin, gateway.clock))}.${signature}`;
}

const cases: readonly Case[] = [
  {
    title: 'no Authorization header',
    reason: 'token_missing',
    wire: noToken,
    authorization: () => undefined,
  },
  { title: 'the word Bearer alone', reason: 'scheme_refused', wire: noToken, authorization: () => 'Bearer ' },
  { title: 'basic credentials', reason: 'scheme_refused', wire: noToken, authorization: () => 'Basic YTpi' },
  {
    title: 'a DPoP-scheme token',
    reason: 'scheme_refused',
    wire: noToken,
    authorization: async (g) => `DPoP ${await token({})(g)}`,
  },
  {
    title: 'a token in the query',
    reason: 'token_in_query',
    wire: badToken,
    query: '?access_token=abc',
    authorization: () => undefined,
  },
  {
    title: 'a token of 2 MB',
    reason: 'token_too_large',
    wire: badToken,
    authorization: () => 'e'.repeat(2_000_000),
  },
  {
    title: 'a token one byte over the cap',
    reason: 'token_too_large',
    wire: badToken,
    authorization: () => 'e'.repeat(16 * 1024 + 1),
  },
  {
    title: 'an opaque token',
    reason: 'token_malformed',
    wire: badToken,
    authorization: () => 'opaque-token',
  },
  {
    title: 'two tokens in one header',
    reason: 'token_malformed',
    wire: badToken,
    authorization: async (g) => `Bearer ${await token({})(g)}, Bearer ${await token({})(g)}`,
  },
  {
    title: 'an encrypted token',
    reason: 'token_malformed',
    wire: badToken,
    authorization: () => 'eyJhbGciOiJkaXIifQ.a.b.c.d',
  },
  {
    title: 'claims that are no object',
    reason: 'token_malformed',
    wire: badToken,
    authorization: () => `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.W10.AAAA`,
  },
  {
    title: 'an issuer nobody configured',
    reason: 'issuer_unknown',
    wire: badToken,
    authorization: token({ iss: 'https://evil.example' }),
  },
  {
    title: 'the issuer with a trailing slash',
    reason: 'issuer_unknown',
    wire: badToken,
    authorization: (g) => token({ iss: `${server.origin}/` })(g),
  },
  { title: 'no issuer', reason: 'issuer_unknown', wire: badToken, authorization: token({ iss: undefined }) },
  {
    title: 'the algorithm none',
    reason: 'algorithm_refused',
    wire: badToken,
    authorization: (g) => unsigned({ alg: 'none', typ: 'JWT' }, g),
  },
  {
    title: 'HS256 made with the public key',
    reason: 'algorithm_refused',
    wire: badToken,
    authorization: async (g) => {
      const signed = unsigned({ alg: 'HS256', kid: 'k1' }, g).slice(0, -1);
      const mac = createHmac('sha256', await exportSPKI(key.publicKey))
        .update(signed)
        .digest('base64url');
      return `${signed}.${mac}`;
    },
  },
  {
    title: 'an algorithm this issuer may not use',
    reason: 'algorithm_refused',
    wire: badToken,
    issuer: { algorithms: ['ES256'] },
    authorization: token({}),
  },
  {
    title: 'a logout token',
    reason: 'type_refused',
    wire: badToken,
    authorization: token({}, { typ: 'logout+jwt' }),
  },
  {
    title: 'a DPoP proof',
    reason: 'type_refused',
    wire: badToken,
    authorization: token({}, { typ: 'dpop+jwt' }),
  },
  {
    title: 'a plain JWT under the preset rfc9068',
    reason: 'type_refused',
    wire: badToken,
    issuer: { preset: 'rfc9068' },
    authorization: token({}, { typ: 'JWT' }),
  },
  {
    title: 'no type under the preset rfc9068',
    reason: 'type_refused',
    wire: badToken,
    issuer: { preset: 'rfc9068' },
    authorization: token({}, { typ: undefined }),
  },
  {
    title: 'an ID token under a preset that knows them',
    reason: 'type_refused',
    wire: badToken,
    issuer: { preset: 'cognito' },
    authorization: token({ token_use: 'id' }, { typ: 'JWT' }),
  },
  {
    title: 'a client that is not one of those listed',
    reason: 'client_refused',
    wire: badToken,
    issuer: { clients: ['client-2'] },
    authorization: token({}),
  },
  {
    title: 'no client where some are listed',
    reason: 'client_refused',
    wire: badToken,
    issuer: { clients: ['client-1'] },
    authorization: token({ client_id: undefined }),
  },
  {
    title: 'an unknown critical extension',
    reason: 'critical_header',
    wire: badToken,
    authorization: (g) =>
      unsigned({ alg: 'RS256', kid: 'k1', crit: ['exp-policy'], 'exp-policy': 1 }, g, 'AAAA'),
  },
  {
    title: 'an issuer that is down from the start',
    reason: 'keys_unavailable',
    wire: {
      status: 503,
      challenge: null,
      body: {
        error: 'temporarily_unavailable',
        error_description: 'The access token cannot be checked right now. Try again shortly.',
      },
    },
    authorization: (g) => token({ iss: down.origin })(g),
  },
  {
    title: 'a kid nobody published',
    reason: 'key_unknown',
    wire: badToken,
    authorization: token({}, { kid: 'nobody' }),
  },
  {
    title: 'a key of its own in the header',
    reason: 'key_unknown',
    wire: badToken,
    authorization: (g) => token({}, { kid: 'mine', jwk: stranger.jwk }, () => stranger)(g),
  },
  {
    title: 'a published key that cannot be used',
    reason: 'key_unusable',
    wire: badToken,
    authorization: token({}, { kid: 'broken' }),
  },
  {
    title: 'a signature of somebody else under a good kid',
    reason: 'signature_invalid',
    wire: badToken,
    authorization: token({}, {}, () => stranger),
  },
  {
    title: 'claims changed after signing',
    reason: 'signature_invalid',
    wire: badToken,
    authorization: async (g) => {
      const [header, , signature] = (await token({})(g)).split('.');
      const [, claims] = (await token({ sub: 'admin' })(g)).split('.');
      return `${header}.${claims}.${signature}`;
    },
  },
  { title: 'no exp', reason: 'claim_missing', wire: badToken, authorization: token({ exp: undefined }) },
  { title: 'no iat', reason: 'claim_missing', wire: badToken, authorization: token({ iat: undefined }) },
  {
    title: 'an exp that is text',
    reason: 'claim_invalid',
    wire: badToken,
    authorization: token({ exp: '9999999999' }),
  },
  { title: 'an exp in the past', reason: 'expired', wire: badToken, authorization: inSeconds('exp', -31) },
  {
    title: 'a token of yesterday that ends in 28 years',
    reason: 'too_old',
    wire: badToken,
    authorization: (g) =>
      token({ iat: g.clock.seconds() - 24 * 3_600 - 31, exp: g.clock.seconds() + 28 * 31_536_000 })(g),
  },
  {
    title: 'an iat in the future',
    reason: 'not_yet_valid',
    wire: badToken,
    authorization: inSeconds('iat', 31),
  },
  {
    title: 'an nbf in the future',
    reason: 'not_yet_valid',
    wire: badToken,
    authorization: inSeconds('nbf', 31),
  },
  {
    title: 'another audience as a string',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: 'https://other.example/mcp' }),
  },
  {
    title: 'other audiences as an array',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: ['https://a.example', 'https://b.example'] }),
  },
  {
    title: 'the canonical URL with a trailing slash',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: `${canonicalUrl}/` }),
  },
  {
    title: 'the canonical URL as a mere prefix',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: `${canonicalUrl}.evil.example` }),
  },
  {
    title: 'the canonical URL with an unknown query',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: `${canonicalUrl}?tenant=2` }),
  },
  {
    title: 'the canonical URL with a known and an unknown query',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: `${canonicalUrl}?mode=search&tenant=2` }),
  },
  {
    title: 'an audience in mixed company with a number',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: [canonicalUrl, 7] }),
  },
  {
    title: 'no audience',
    reason: 'audience_refused',
    wire: badToken,
    authorization: token({ aud: undefined }),
  },
  {
    title: 'a DPoP-bound token sent as a bearer token',
    reason: 'sender_constrained',
    wire: badToken,
    authorization: token({ cnf: { jkt: 'thumb' } }),
  },
  {
    title: 'a certificate-bound token',
    reason: 'sender_constrained',
    wire: badToken,
    authorization: token({ cnf: { 'x5t#S256': 'thumb' } }),
  },
  {
    title: 'neither subject nor client',
    reason: 'subject_missing',
    wire: badToken,
    authorization: token({ sub: undefined, client_id: undefined }),
  },
  { title: 'an empty subject', reason: 'subject_missing', wire: badToken, authorization: token({ sub: '' }) },
  {
    title: 'a subject that is a number',
    reason: 'subject_missing',
    wire: badToken,
    authorization: token({ sub: 7 }),
  },
  {
    title: 'another pool',
    reason: 'pool_refused',
    wire: {
      status: 403,
      challenge: null,
      body: { error: 'access_denied', error_description: 'This account may not use this resource.' },
    },
    authorization: token({ pool: 'guests' }),
  },
  {
    title: 'no pool at all',
    reason: 'pool_refused',
    wire: {
      status: 403,
      challenge: null,
      body: { error: 'access_denied', error_description: 'This account may not use this resource.' },
    },
    authorization: token({ pool: undefined }),
  },
  {
    title: 'no baseline scope',
    reason: 'scope_missing',
    wire: {
      status: 403,
      challenge: `Bearer error="insufficient_scope", error_description="The access token lacks a scope that this request needs.", ${metadata}, scope="base"`,
      body: {
        error: 'insufficient_scope',
        error_description: 'The access token lacks a scope that this request needs.',
      },
    },
    authorization: token({ scope: 'notes:read' }),
  },
  {
    title: 'a revoked token',
    reason: 'revoked',
    wire: badToken,
    authorization: token({ jti: 'revoked' }),
  },
];

describe('every refusal, on the wire (R35)', () => {
  test.each(cases)('$title: $reason', async ({ reason, wire, query, issuer, authorization }) => {
    using gateway = createResourceServer([{ url: server.origin, ...issuer }, { url: down.origin }], {
      baselineScopes: ['base'],
      plans: new Map([
        ['reader', ['notes:read']],
        ['writer', ['notes:read', 'notes:write']],
      ]),
      requiredPool: 'staff',
      denyList: { denies: ({ tokenId }) => (tokenId === 'revoked' ? 'token' : undefined) },
    });
    const presented = await authorization(gateway);
    const outcome = await gateway.ask(presented, query);
    expect(outcome).toMatchObject({ ok: false, error: { reason } });

    const response = await gateway.answer(presented, query);
    expect(response.status).toBe(wire.status);
    expect(response.headers.get('www-authenticate')).toBe(wire.challenge);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('retry-after')).toBe(wire.status === 503 ? '5' : null);
    expect(await response.json()).toEqual(wire.body);
  });

  test('has a case for each reason there is', () => {
    expect([...new Set(cases.map((one) => one.reason))].sort()).toEqual([...authRefusalReasons].sort());
  });
});
