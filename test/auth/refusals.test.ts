import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDpop } from '#auth/dpop.ts';
import type { IssuerOptions } from '#auth/options.ts';
import { createProofMemory, type ProofMemoryBounds } from '#auth/proof-memory.ts';
import { type AuthRefusalReason, authRefusalReasons } from '#auth/refusal.ts';
import { Secret } from '#kernel/secret.ts';
import { createSealer } from '#keys/sealer.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { ringOf } from '../audit/support/audit-kit.ts';
import { makeProofKey, type ProofKey } from './dpop-kit.ts';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import { canonicalUrl, createResourceServer, goodClaims, type ResourceServer } from './resource-server.ts';

let server: KeyServer;
let down: KeyServer;
let key: SigningKey;
let stranger: SigningKey;
let client: ProofKey;
let thief: ProofKey;
const outbound = createOutbound();

beforeAll(async () => {
  server = startKeyServer();
  down = startKeyServer();
  down.isDown = true;
  key = await makeKey('RS256', 'k1');
  stranger = await makeKey('RS256', 'k1');
  [client, thief] = await Promise.all([makeProofKey(), makeProofKey()]);
  publish(server, [key]);
  server.documents.set('/inactive', { active: false });
  server.documents.set('/keys', {
    keys: [key.jwk, { kty: 'RSA', kid: 'broken', alg: 'RS256', n: 'AQAB', e: 'AQAB' }],
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await down[Symbol.asyncDispose]();
  await outbound.close();
});

const metadata = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';
const scope = 'scope="base notes:read notes:write"';

const algs = 'algs="ES256 EdDSA Ed25519 PS256 RS256"';

const noToken = {
  status: 401,
  challenge: `Bearer ${metadata}, ${scope}, DPoP ${algs}`,
  body: {
    error: 'unauthorized',
    error_description: 'This resource needs a bearer access token in the Authorization header.',
  },
};
const badToken = {
  status: 401,
  challenge: `Bearer error="invalid_token", error_description="The access token is not valid for this resource. Get a new one.", ${metadata}, ${scope}, DPoP ${algs}`,
  body: {
    error: 'invalid_token',
    error_description: 'The access token is not valid for this resource. Get a new one.',
  },
};
const unavailable = {
  status: 503,
  challenge: null,
  body: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked right now. Try again shortly.',
  },
};

/** The same in the scheme the token came with. */
function overDpop(error: string, description: string) {
  return {
    status: 401,
    challenge: `DPoP error="${error}", error_description="${description}", ${metadata}, ${scope}, ${algs}`,
    body: { error, error_description: description },
  };
}
const badBound = overDpop('invalid_token', 'The access token is not valid for this resource. Get a new one.');
const badProof = overDpop('invalid_dpop_proof', 'The DPoP proof is not valid for this request.');
const nonceAsked = overDpop(
  'use_dpop_nonce',
  'The DPoP proof must carry the nonce in the DPoP-Nonce header of this answer.',
);

type Case = {
  readonly title: string;
  readonly reason: AuthRefusalReason;
  readonly wire: { readonly status: number; readonly challenge: string | null; readonly body: unknown };
  readonly query?: string;
  readonly issuer?: Partial<IssuerOptions>;
  /** Made for the presented `DPoP` token. */
  readonly proof?: (target: ProofRequest, gateway: ResourceServer) => Promise<string>;
  readonly bounds?: ProofMemoryBounds;
  readonly authorization: (gateway: ResourceServer) => Promise<string | undefined> | string | undefined;
};

type ProofRequest = Parameters<ProofKey['prove']>[0];
type ProofChange = Parameters<ProofKey['prove']>[1];

/** A token bound to the client's key, with its scheme. */
function bound(claims: Record<string, unknown> = {}) {
  return async (gateway: ResourceServer) =>
    `DPoP ${await token({ cnf: { jkt: client.thumbprint }, ...claims })(gateway)}`;
}

/** A good proof but for these members. */
function proof(over: ProofChange = {}, by = () => client) {
  return (target: ProofRequest) => by().prove(target, over);
}

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
    title: 'a DPoP-scheme token where proofs are not taken',
    reason: 'scheme_refused',
    wire: { ...noToken, challenge: `Bearer ${metadata}, ${scope}` },
    issuer: { dpop: 'off' },
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
    wire: unavailable,
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
  {
    title: 'a revoked token with a good proof',
    reason: 'revoked',
    wire: badBound,
    authorization: bound({ jti: 'revoked' }),
    proof: proof(),
  },
  {
    title: 'an opaque token that its issuer does not know',
    reason: 'token_inactive',
    wire: badToken,
    issuer: { introspection: askedAt(() => `${server.origin}/inactive`) },
    authorization: () => 'opaque-token',
  },
  {
    title: 'a signed token that its issuer has revoked',
    reason: 'token_inactive',
    wire: badToken,
    issuer: { introspection: askedAt(() => `${server.origin}/inactive`) },
    authorization: token({}),
  },
  {
    title: 'an opaque token while its issuer is down',
    reason: 'introspection_unavailable',
    wire: unavailable,
    issuer: { introspection: askedAt(() => `${down.origin}/introspect`) },
    authorization: () => 'opaque-token',
  },
  {
    title: 'text that no token can be, which no issuer is asked about',
    reason: 'token_malformed',
    wire: badToken,
    issuer: { introspection: askedAt(() => `${down.origin}/introspect`) },
    authorization: () => 'Bearer opaque token',
  },
  {
    title: 'an unbound token of an issuer that binds them',
    reason: 'dpop_required',
    wire: badToken,
    issuer: { dpop: 'require' },
    authorization: token({}),
  },
  {
    title: 'a bound token where proofs are not taken',
    reason: 'sender_constrained',
    wire: { ...badToken, challenge: badToken.challenge.replace(`, DPoP ${algs}`, '') },
    issuer: { dpop: 'off' },
    authorization: token({ cnf: { jkt: 'thumb' } }),
  },
  {
    title: 'a token bound to a key and to a certificate',
    reason: 'sender_constrained',
    wire: badBound,
    authorization: (g) => bound({ cnf: { jkt: client.thumbprint, 'x5t#S256': 'thumb' } })(g),
    proof: proof(),
  },
  {
    title: 'a token that is bound to nothing, with a proof',
    reason: 'token_unbound',
    wire: badBound,
    authorization: bound({ cnf: undefined }),
    proof: proof(),
  },
  {
    title: 'an expired token with a good proof',
    reason: 'expired',
    wire: badBound,
    authorization: (g) => bound({ exp: g.clock.seconds() - 31 })(g),
    proof: proof(),
  },
  {
    title: 'a bound token in the query as well',
    reason: 'token_in_query',
    wire: badToken,
    query: '?access_token=abc',
    authorization: bound(),
    proof: proof(),
  },
  { title: 'no proof', reason: 'proof_missing', wire: badProof, authorization: bound() },
  {
    title: 'two proofs',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async (target) => `${await proof()(target)}, ${await proof()(target)}`,
  },
  {
    title: 'a proof that is no JWT',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async () => 'x.y',
  },
  {
    title: 'a proof of 9 KB',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: proof({ payload: { pad: 'x'.repeat(9_000) } }),
  },
  {
    title: 'a proof of another type',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: proof({ header: { typ: 'JWT' } }),
  },
  {
    title: 'a proof without its key',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: proof({ header: { jwk: undefined } }),
  },
  {
    title: 'a proof that shows its private key',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async (target) => proof({ header: { jwk: await exportJWK(client.privateKey) } })(target),
  },
  {
    title: 'a proof made with a shared secret',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async ({ url, iat }) =>
      new SignJWT({ jti: 'x', htm: 'POST', htu: url, iat })
        .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct' } })
        .sign(Buffer.alloc(32, 1)),
  },
  {
    title: 'a proof with the algorithm none',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async ({ url, iat }, g) => {
      const [, payload] = (await proof()({ url, iat, token: 'x', nonce: g.nonce() })).split('.');
      const header = { alg: 'none', typ: 'dpop+jwt', jwk: client.jwk };
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.`;
    },
  },
  {
    title: 'a proof with an unknown critical extension',
    reason: 'proof_malformed',
    wire: badProof,
    authorization: bound(),
    proof: async ({ url, iat }) => {
      const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: client.jwk, crit: ['x'], x: 1 };
      const parts = [header, { jti: 'x', htm: 'POST', htu: url, iat }].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      return `${parts.join('.')}.AAAA`;
    },
  },
  ...(['jti', 'iat'] as const).map(
    (member): Case => ({
      title: `a proof without ${member}`,
      reason: 'proof_malformed',
      wire: badProof,
      authorization: bound(),
      proof: proof({ payload: { [member]: undefined } }),
    }),
  ),
  {
    title: 'a proof signed by another key than it shows',
    reason: 'proof_signature_invalid',
    wire: badProof,
    authorization: bound(),
    proof: (target) => proof({ signer: thief.privateKey })(target),
  },
  {
    title: 'a stolen token with a proof of the thief’s own',
    reason: 'proof_key_refused',
    wire: badBound,
    authorization: bound(),
    proof: proof({}, () => thief),
  },
  {
    title: 'a proof for another method',
    reason: 'proof_request_mismatch',
    wire: badProof,
    authorization: bound(),
    proof: proof({ payload: { htm: 'GET' } }),
  },
  ...[
    'https://other.example/mcp',
    'https://mcp.example.com/mcp/',
    'https://mcp.example.com/other',
    'http://mcp.example.com/mcp',
    'https://mcp.example.com:8443/mcp',
    'mcp',
    undefined,
  ].map(
    (htu): Case => ({
      title: `a proof for ${htu ?? 'no URL'}`,
      reason: 'proof_request_mismatch',
      wire: badProof,
      authorization: bound(),
      proof: proof({ payload: { htu } }),
    }),
  ),
  ...['A'.repeat(43), undefined].map(
    (ath): Case => ({
      title: `a proof whose ath is ${ath}`,
      reason: 'proof_token_mismatch',
      wire: badProof,
      authorization: bound(),
      proof: proof({ payload: { ath } }),
    }),
  ),
  ...([-91, 31] as const).map(
    (offset): Case => ({
      title: `a proof made ${offset} s from now`,
      reason: 'proof_expired',
      wire: badProof,
      authorization: bound(),
      proof: (target) => proof({ payload: { iat: target.iat + offset } })(target),
    }),
  ),
  {
    title: 'a proof that ended by its own word',
    reason: 'proof_expired',
    wire: badProof,
    authorization: bound(),
    proof: (target) => proof({ payload: { exp: target.iat - 31 } })(target),
  },
  {
    title: 'a proof without a nonce',
    reason: 'proof_nonce_missing',
    wire: nonceAsked,
    authorization: bound(),
    proof: proof({ payload: { nonce: undefined } }),
  },
  {
    title: 'a proof with a nonce of its own making',
    reason: 'proof_nonce_stale',
    wire: nonceAsked,
    authorization: bound(),
    proof: proof({ payload: { nonce: 'AAAA' } }),
  },
  {
    title: 'a proof with a nonce of six minutes ago',
    reason: 'proof_nonce_stale',
    wire: nonceAsked,
    authorization: bound(),
    proof: (target, g) => {
      g.clock.advance(360_000);
      return proof()({ ...target, iat: g.clock.seconds() });
    },
  },
  {
    title: 'a proof the second time',
    reason: 'proof_replayed',
    wire: badProof,
    authorization: bound(),
    async proof(target, g) {
      const made = await proof()(target);
      expect((await g.ask(`DPoP ${target.token}`, '', made)).ok).toBe(true);
      return made;
    },
  },
  {
    title: 'another proof with an id that was used',
    reason: 'proof_replayed',
    wire: badProof,
    authorization: bound(),
    async proof(target, g) {
      const again = proof({ payload: { jti: 'once' } });
      expect((await g.ask(`DPoP ${target.token}`, '', await again(target))).ok).toBe(true);
      return again(target);
    },
  },
  {
    title: 'a proof that cannot be remembered any more',
    reason: 'proofs_full',
    wire: unavailable,
    bounds: { total: 0, perOwner: 0 },
    authorization: bound(),
    proof: proof(),
  },
];

function askedAt(url: () => string): IssuerOptions['introspection'] {
  return {
    get url() {
      return url();
    },
    client: { id: 'gateway', secret: new Secret('secret') },
    mode: 'always',
    cacheMs: 10_000,
  };
}

describe('every refusal, on the wire (R35)', () => {
  test.each(cases)('$title: $reason', async ({ reason, wire, query, issuer, bounds, ...made }) => {
    using gateway = createResourceServer(
      [
        { url: server.origin, ...issuer },
        { url: down.origin, dpop: issuer?.dpop === 'off' ? 'off' : 'allow' },
      ],
      {
        baselineScopes: ['base'],
        plans: new Map([
          ['reader', ['notes:read']],
          ['writer', ['notes:read', 'notes:write']],
        ]),
        requiredPool: 'staff',
        denyList: { denies: ({ tokenId }) => (tokenId === 'revoked' ? 'token' : undefined) },
        outbound,
        dpop: (clock) =>
          createDpop({ sealer: createSealer(ringOf(7)), clock, memory: createProofMemory(clock, bounds) }),
      },
    );
    const presented = await made.authorization(gateway);
    const target = {
      url: canonicalUrl,
      token: presented?.split(' ')[1] ?? '',
      nonce: gateway.nonce(),
      iat: gateway.clock.seconds(),
    };
    const shown = await made.proof?.(target, gateway);
    const outcome = await gateway.ask(presented, query, shown);
    expect(outcome).toMatchObject({ ok: false, error: { reason } });

    const response = await gateway.answer(presented, query, shown);
    expect(response.status).toBe(wire.status);
    expect(response.headers.get('www-authenticate')).toBe(wire.challenge);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('retry-after')).toBe(wire.status === 503 ? '5' : null);
    const isAsked = wire === nonceAsked;
    expect(response.headers.get('dpop-nonce')).toBe(isAsked ? gateway.nonce() : null);
    expect(await response.json()).toEqual(wire.body);
  });

  test('has a case for each reason there is', () => {
    expect([...new Set(cases.map((one) => one.reason))].sort()).toEqual([...authRefusalReasons].sort());
  });
});
