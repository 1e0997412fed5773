import { createHmac } from 'node:crypto';
import { exportSPKI } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeProofKey, type ProofKey } from '../auth/dpop-kit.ts';
import {
  type KeyServer,
  makeKey,
  publish,
  type SigningKey,
  sign,
  startKeyServer,
} from '../auth/key-server.ts';
import { modernRevision } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

let server: KeyServer;
let key: SigningKey;
let running: RunningGateway;
let origin: string;
let proofKey: ProofKey;

beforeAll(async () => {
  server = startKeyServer();
  key = await makeKey('RS256', 'k1');
  proofKey = await makeProofKey();
  publish(server, [key]);
  running = await start(server);
  origin = running.listen();
});
afterAll(async () => {
  await running.close();
  await server[Symbol.asyncDispose]();
});

function start(issuer: KeyServer): Promise<RunningGateway> {
  return runGateway({
    backends: { notes: { tools: [{ name: 'run', scope: 'mcp:test', description: 'Runs.' }] } },
    config: {
      auth: { issuers: [{ url: issuer.origin }], challenge_scopes: ['mcp:test'] },
      limits: { calls_per_minute: 100_000, token_size: '8KB' },
    },
  });
}

const seconds = () => Math.floor(running.clock.now() / 1_000);

function claims(over: Readonly<Record<string, unknown>> = {}, issuer = server.origin) {
  const now = seconds();
  return {
    iss: issuer,
    sub: 'ada',
    aud: canonicalUrl,
    client_id: 'agent',
    scope: 'mcp:test',
    iat: now,
    exp: now + 600,
    ...over,
  };
}

function encoded(...parts: readonly object[]): string {
  return parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

const tools = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': modernRevision,
      'io.modelcontextprotocol/clientInfo': { name: 'attacker', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});
const mcpHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': modernRevision,
  'mcp-method': 'tools/list',
};

interface Exact {
  readonly status: number;
  readonly challenge: string | null;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

/** A whole request over the socket; the whole of what says why it was refused. */
async function send(
  token: string,
  headers: Readonly<Record<string, string>> = {},
  to = origin,
): Promise<Exact> {
  const response = await fetch(`${to}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders,
      authorization: `Bearer ${token}`,
      ...headers,
    },
    body: tools,
  });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  };
}

/** What came of it in the log, which the caller never sees. */
function reasonsOf(gateway = running): readonly unknown[] {
  return gateway.logged.filter(({ event }) => event === 'auth.refused').map(({ reason }) => reason);
}

const metadata = `resource_metadata="${new URL(canonicalUrl).origin}/.well-known/oauth-protected-resource/mcp", scope="mcp:test"`;
const algs = 'algs="ES256 EdDSA Ed25519 PS256 RS256"';
const notValid = 'The access token is not valid for this resource. Get a new one.';
const refusedToken: Exact = {
  status: 401,
  challenge: `Bearer error="invalid_token", error_description="${notValid}", ${metadata}, DPoP ${algs}`,
  retryAfter: null,
  body: { error: 'invalid_token', error_description: notValid },
};
const notNow: Exact = {
  status: 503,
  challenge: null,
  retryAfter: '5',
  body: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked right now. Try again shortly.',
  },
};

const attacks: readonly (readonly [string, string, () => string | Promise<string>])[] = [
  ['alg none', 'algorithm_refused', () => `${encoded({ alg: 'none', typ: 'at+jwt' }, claims())}.`],
  [
    'HS256 with the public key',
    'algorithm_refused',
    async () => {
      const signed = encoded({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' }, claims());
      const mac = createHmac('sha256', await exportSPKI(key.publicKey)).update(signed);
      return `${signed}.${mac.digest('base64url')}`;
    },
  ],
  [
    'an unknown critical header',
    'critical_header',
    () => `${encoded({ alg: 'RS256', kid: 'k1', crit: ['cortex'], cortex: true }, claims())}.AAAA`,
  ],
  ['a foreign type', 'type_refused', () => sign(key, claims(), { typ: 'secevent+jwt' })],
  ['a logout token', 'type_refused', () => sign(key, claims(), { typ: 'logout+jwt' })],
  ['no exp', 'claim_missing', () => sign(key, claims({ exp: undefined }))],
  [
    'an exp in 28 years, issued the day before yesterday',
    'too_old',
    () => sign(key, claims({ iat: seconds() - 2 * 86_400, exp: seconds() + 28 * 31_536_000 })),
  ],
  [
    'a wrong audience as a string',
    'audience_refused',
    () => sign(key, claims({ aud: 'https://other.example/mcp' })),
  ],
  [
    'wrong audiences as an array',
    'audience_refused',
    () => sign(key, claims({ aud: ['https://a.example', 'https://b.example'] })),
  ],
  ['a wrong issuer', 'issuer_unknown', () => sign(key, claims({ iss: 'https://evil.example' }))],
  ['the issuer with a slash', 'issuer_unknown', () => sign(key, claims({ iss: `${server.origin}/` }))],
  [
    'a token over the configured size',
    'token_too_large',
    () => sign(key, claims({ pad: 'x'.repeat(8_000) })),
  ],
];

describe('over a real socket, each of these gets exactly the answer of any other bad token', () => {
  test.each(attacks)('%s (%s)', async (_title, reason, token) => {
    expect(await send(await token())).toEqual(refusedToken);
    expect(reasonsOf().at(-1)).toBe(reason);
  });

  test('and a good one is let in', async () => {
    expect((await send(await sign(key, claims()))).status).toBe(200);
  });
});

describe('a token of 2 MB', () => {
  test('does not get past the head of the request', async () => {
    const answer = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${'e'.repeat(2_000_000)}` },
      body: tools,
    });
    expect([answer.status, await answer.text()]).toEqual([431, '']);
    expect((await send(await sign(key, claims()))).status).toBe(200);
  });
});

/** A gateway of its own, whose issuer's keys were never fetched. */
async function withIssuer(use: (issuer: KeyServer, gateway: RunningGateway, at: string) => Promise<void>) {
  await using issuer = startKeyServer();
  await using gateway = await start(issuer);
  publish(issuer, [key]);
  await use(issuer, gateway, gateway.listen());
}
const keyFetches = (issuer: KeyServer) => issuer.requests.filter((path) => path === '/keys').length;

describe('the keys of an issuer', () => {
  test('are fetched once more for a storm of 300 unknown kids, and good tokens go through it', async () => {
    await withIssuer(async (issuer, gateway, at) => {
      const good = await sign(key, claims({}, issuer.origin));
      expect((await send(good, {}, at)).status).toBe(200);
      gateway.clock.advance(5_000);
      const storm = Array.from({ length: 300 }, async (_, index) => {
        const forged = await sign(key, claims({}, issuer.origin), { kid: `unknown-${index}` });
        return send(forged, {}, at);
      });
      // From one address: what is more than 300 refusals a minute is 429.
      for (const answer of await Promise.all(storm)) expect(answer).toEqual(refusedToken);
      expect(keyFetches(issuer)).toBe(2);
      expect(new Set(reasonsOf(gateway))).toEqual(new Set(['key_unknown']));
      const another = await sign(key, claims({ sub: 'bob' }, issuer.origin));
      expect((await send(another, {}, at)).status).toBe(200);
    });
  });

  test('that are out of reach from the start make it 503, and a known issuer’s serve on', async () => {
    await withIssuer(async (issuer, gateway, at) => {
      issuer.isDown = true;
      const token = await sign(key, claims({}, issuer.origin));
      expect(await send(token, {}, at)).toEqual(notNow);
      expect(reasonsOf(gateway)).toEqual(['keys_unavailable']);
      issuer.isDown = false;
      gateway.clock.advance(5_000);
      expect((await send(token, {}, at)).status).toBe(200);
      issuer.isDown = true;
      gateway.clock.advance(60_000);
      const another = await sign(key, claims({ sub: 'bob' }, issuer.origin));
      expect((await send(another, {}, at)).status).toBe(200);
      const unknown = await sign(key, claims({}, issuer.origin), { kid: 'new' });
      expect(await send(unknown, {}, at)).toEqual(refusedToken);
    });
  });

  test('that come slowly are waited for, by everybody together', async () => {
    await withIssuer(async (issuer, _gateway, at) => {
      issuer.delayMs = 300;
      const token = await sign(key, claims({}, issuer.origin));
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(token, {}, at)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(keyFetches(issuer)).toBe(1);
    });
  });

  test('that do not come within ten seconds make it 503', async () => {
    await withIssuer(async (issuer, _gateway, at) => {
      issuer.delayMs = 60_000;
      const startedAt = performance.now();
      expect(await send(await sign(key, claims({}, issuer.origin)), {}, at)).toEqual(notNow);
      expect(performance.now() - startedAt).toBeGreaterThan(9_000);
    });
  }, 30_000);

  test('that were replaced let in the new key’s tokens after five seconds at most, and the old one’s no more', async () => {
    await withIssuer(async (issuer, gateway, at) => {
      const old = await sign(key, claims({}, issuer.origin));
      expect((await send(old, {}, at)).status).toBe(200);
      const next = await makeKey('RS256', 'k2');
      publish(issuer, [next]);
      const fresh = await sign(next, claims({}, issuer.origin));
      expect(await send(fresh, {}, at)).toEqual(refusedToken);
      gateway.clock.advance(5_000);
      expect((await send(fresh, {}, at)).status).toBe(200);
      expect(await send(old, {}, at)).toEqual(refusedToken);
      expect(reasonsOf(gateway)).toEqual(['key_unknown', 'key_unknown']);
    });
  });

  test('that share a kid are tried one after the other, and nobody else’s fits', async () => {
    await withIssuer(async (issuer, gateway, at) => {
      const [twin, stranger] = await Promise.all([makeKey('RS256', 'k1'), makeKey('RS256', 'k1')]);
      publish(issuer, [key, twin]);
      for (const signer of [key, twin]) {
        expect((await send(await sign(signer, claims({}, issuer.origin)), {}, at)).status).toBe(200);
      }
      expect(await send(await sign(stranger, claims({}, issuer.origin)), {}, at)).toEqual(refusedToken);
      expect(reasonsOf(gateway)).toEqual(['signature_invalid']);
    });
  });
});

describe('a token bound to a key', () => {
  const overDpop = (error: string, description: string): Exact => ({
    status: 401,
    challenge: `DPoP error="${error}", error_description="${description}", ${metadata}, ${algs}`,
    retryAfter: null,
    body: { error, error_description: description },
  });
  const refusedProof = overDpop('invalid_dpop_proof', 'The DPoP proof is not valid for this request.');

  async function bound() {
    const token = await sign(key, claims({ cnf: { jkt: proofKey.thumbprint } }));
    const asked = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `DPoP ${token}`,
        dpop: await proofKey.prove({ url: canonicalUrl, token, iat: seconds() }),
      },
      body: tools,
    });
    const nonce = asked.headers.get('dpop-nonce') ?? '';
    return { token, target: { url: canonicalUrl, token, nonce, iat: seconds() } };
  }
  const over = (token: string, proof: string) => send('', { authorization: `DPoP ${token}`, dpop: proof });

  test('is let in with a proof, and refused when the same request comes again', async () => {
    const { token, target } = await bound();
    const proof = await proofKey.prove(target);
    expect((await over(token, proof)).status).toBe(200);
    expect(await over(token, proof)).toEqual(refusedProof);
    expect(reasonsOf().at(-1)).toBe('proof_replayed');
  });

  test('of fifty replays at the very same moment lets in one', async () => {
    const { token, target } = await bound();
    const proof = await proofKey.prove(target);
    const answers = await Promise.all(Array.from({ length: 50 }, () => over(token, proof)));
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    for (const answer of answers) if (answer.status !== 200) expect(answer).toEqual(refusedProof);
  });

  test('stolen with a proof for another request is refused', async () => {
    const { token, target } = await bound();
    for (const payload of [{ htm: 'GET' }, { htu: 'https://evil.example/mcp' }, { ath: 'x' }]) {
      expect(await over(token, await proofKey.prove(target, { payload }))).toEqual(refusedProof);
    }
  });

  test('may come with the choices of the URL, which the proof need not name', async () => {
    const { token, target } = await bound();
    const answer = await fetch(`${origin}/mcp?backends=notes`, {
      method: 'POST',
      headers: {
        authorization: `dpop ${token}`,
        dpop: await proofKey.prove({ ...target, url: `${canonicalUrl}?backends=notes` }),
        ...mcpHeaders,
      },
      body: tools,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('dpop-nonce')).toBe(target.nonce);
  });

  test('gets the 403 of a missing scope in its own scheme', async () => {
    await using strict = await runGateway({
      issuer: running.issuer,
      config: {
        auth: {
          issuers: [{ url: server.origin, dpop: 'require' }],
          baseline_scopes: ['mcp:more'],
          challenge_scopes: [],
        },
      },
    });
    const at = strict.listen();
    const { token, target } = await bound();
    const answer = await send('', { authorization: `DPoP ${token}`, dpop: await proofKey.prove(target) }, at);
    expect([answer.status, answer.challenge]).toEqual([
      403,
      `DPoP error="insufficient_scope", error_description="The access token lacks a scope that this request needs.", ${metadata.replace('mcp:test', 'mcp:more')}, ${algs}`,
    ]);
    expect(await send('x', {}, at)).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^DPoP error="invalid_token".*, algs="[^"]*"$/),
    });
    const document = await (await fetch(`${at}/.well-known/oauth-protected-resource`)).json();
    expect(document).toMatchObject({ dpop_bound_access_tokens_required: true });
  });
});
