import { readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject } from '#kernel/json.ts';
import type { CapturedCall } from '../support/capturing-backend.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import {
  type BackendSetup,
  canonicalUrl,
  type RunningGateway,
  runGateway,
} from '../support/running-gateway.ts';

const root = join(import.meta.dirname, '..', '..');
const modes = ['propagate', 'assert', 'exchange'] as const;
type Mode = (typeof modes)[number];
const lists = ['list_tools', 'list_prompts', 'list_resources', 'list_resource_templates'];

/** Each way a user's call reaches a backend, and the method it arrives as. */
const methods: readonly (readonly [
  arrivesAs: string,
  make: (caller: McpCaller, id: Mode) => Promise<unknown>,
])[] = [
  ['run', (caller, id) => caller.tool(`${id}_run`)],
  ['get_prompt', (caller, id) => caller.modern('prompts/get', { name: `${id}_greet` })],
  ['read_resource', (caller, id) => caller.modern('resources/read', { uri: `${id}:one` })],
  [
    'complete',
    (caller, id) =>
      caller.modern('completion/complete', {
        ref: { type: 'ref/prompt', name: `${id}_greet` },
        argument: { name: 'who', value: 'a' },
      }),
  ],
  ['get_help', (caller, id) => caller.tool(`${id}_get_help`)],
  ['whoami', (caller) => caller.tool('whoami')],
  [
    'report_missing_capability',
    (caller, id) =>
      caller.tool('report_missing_capability', {
        title: 'x',
        description: 'y',
        backend: id,
        severity: 'low',
      }),
  ],
  ['list_tickets', (caller, id) => caller.tool('list_cortex_tickets', { backend: id })],
];

function backendOf(id: Mode): BackendSetup {
  const scope = `mcp:${id}`;
  return {
    tools: [{ name: 'run', scope, description: 'Runs.' }],
    prompts: [{ name: 'greet', scope, arguments: [{ name: 'who' }] }],
    resources: [{ uri: `${id}:one`, name: 'one', scope }],
    config: { identity: id, token_audience: `urn:${id}`, tickets: true },
  };
}

let issuer: TestIssuer;
let running: RunningGateway;
let caller: McpCaller;
const exchanges: URLSearchParams[] = [];

beforeAll(async () => {
  issuer = await createIssuer({
    audience: canonicalUrl,
    algorithm: 'ES256',
    onToken(form) {
      exchanges.push(form);
      return Response.json({
        access_token: `exchanged.for.${form.get('audience')?.replace(':', '.')}`,
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        expires_in: 300,
      });
    },
  });
  running = await runGateway({
    issuer,
    backends: Object.fromEntries(modes.map((id) => [id, backendOf(id)])),
    config: {
      auth: {
        issuers: [{ url: issuer.url, exchange: { client_id: 'gateway', client_secret: 'secret' } }],
        challenge_scopes: ['mcp:test'],
      },
    },
  });
  for (const id of modes) running.backend(id).answer('complete', () => Response.json({ values: ['ada'] }));
  caller = await running.caller({
    scope: 'mcp:propagate mcp:assert mcp:exchange mcp:nowhere',
    email: 'ada@example.com',
  });
});
afterAll(async () => {
  await running.close();
  await issuer.close();
});

function bearerOf(call: CapturedCall | undefined): string {
  return call?.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
}

describe.each(modes)('a backend with identity: %s (R38)', (id) => {
  test.each(methods)('gets exactly that with %s', async (arrivesAs, make) => {
    const backend = running.backend(id);
    const before = backend.callsOf(arrivesAs).length;
    // whoami is remembered for ten seconds.
    running.clock.advance(11_000);
    await make(caller, id);
    const calls = backend.callsOf(arrivesAs).slice(before);
    expect(calls.length).toBe(1);
    const [call] = calls;
    const bearer = bearerOf(call);
    expect(call?.headers.get('x-cortex-user-id')).toBe('user-1');
    expect(call?.headers.get('x-cortex-user-email')).toBe('ada@example.com');
    if (id === 'propagate') expect(bearer).toBe(caller.token);
    if (id === 'exchange') expect(bearer).toBe('exchanged.for.urn.exchange');
    if (id === 'assert') {
      expect(decodeJwt(bearer)).toMatchObject({ aud: 'urn:assert', sub: 'user-1', scope: 'mcp:assert' });
    }
    if (id !== 'propagate') {
      expect(call?.headers.get('x-cortex-scopes')).toBe(`mcp:${id}`);
      expect(JSON.stringify([...(call?.headers ?? [])]) + call?.text).not.toContain(caller.token);
    }
    const records = await running.calls(1, ({ mode, backend: of }) => mode === id && of === id);
    expect(records.length).toBeGreaterThan(0);
  });

  test('is asked for its lists with the technical token alone', () => {
    for (const list of lists)
      for (const call of running.backend(id).callsOf(list)) expect(bearerOf(call)).toBe('technical-token');
  });
});

describe('an assertion', () => {
  test('is verified with the published keys, whoever asks for them', async () => {
    await caller.tool('assert_run');
    const answer = await running.fetch('/.well-known/jwks.json', { headers: { host: 'gateway.internal' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const keys: unknown = await answer.json();
    if (!isJsonObject(keys) || !Array.isArray(keys.keys)) throw new Error('no key set');
    const token = bearerOf(running.backend('assert').callsOf('run').at(-1));
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: keys.keys }), {
      issuer: new URL(canonicalUrl).origin,
      audience: 'urn:assert',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(payload.sub_id).toEqual({ format: 'iss_sub', iss: issuer.url, sub: 'user-1' });
  });

  test('is verified by an application that does as the documents say, and by nobody it is not for', async () => {
    const page = readFileSync(join(root, 'docs', 'identity-modes.md'), 'utf8');
    const [, code = ''] = /^```ts\n([\s\S]*?)^```/m.exec(page) ?? [];
    const own = code
      .replace('https://mcp.example.com/.well-known', `${running.listen()}/.well-known`)
      .replace('https://mcp.example.com', new URL(canonicalUrl).origin)
      .replace('https://billing.internal/api/cortex/backend', 'urn:assert');
    await symlink(join(root, 'node_modules'), join(running.folder.path, 'node_modules'));
    const file = join(running.folder.path, 'verify.mts');
    const ask = 'whoCalls(process.env.BEARER).catch((error) => error.code)';
    await writeFile(file, `${own}\nconsole.log(JSON.stringify(await ${ask}));\n`);
    const verify = async (token: string): Promise<unknown> => {
      const env = { PATH: process.env.PATH ?? '', BEARER: `Bearer ${token}` };
      return JSON.parse(await new Response(Bun.spawn([process.execPath, file], { env }).stdout).text());
    };
    await caller.tool('assert_run');
    expect(await verify(bearerOf(running.backend('assert').callsOf('run').at(-1)))).toEqual({
      user: { format: 'iss_sub', iss: issuer.url, sub: 'user-1' },
      scopes: ['mcp:assert'],
    });
    expect(await verify(caller.token)).toBe('ERR_JWKS_NO_MATCHING_KEY');
  });

  test('is no token for the gateway itself', async () => {
    const token = bearerOf(running.backend('assert').callsOf('run').at(-1));
    const answer = await running.fetch('/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(401);
  });
});

describe('an exchanged token', () => {
  test('is asked for once, with the scopes this backend needs', () => {
    expect(exchanges.map((form) => [form.get('audience'), form.get('scope')])).toEqual([
      ['urn:exchange', 'mcp:exchange'],
    ]);
    expect(exchanges[0]?.get('subject_token')).toBe(caller.token);
  });

  test('that the backend refuses is replaced, and the call is made again once', async () => {
    const backend = running.backend('exchange');
    let refusals = 0;
    backend.answer('run', (call) => {
      if (refusals++ === 0) return Response.json({ error: 'revoked' }, { status: 401 });
      return Response.json({ ok: bearerOf(call) });
    });
    expect((await caller.tool('exchange_run')).isError).toBe(false);
    expect(exchanges.length).toBe(2);
    backend.answer('run', () => Response.json({ error: 'revoked' }, { status: 401 }));
    const before = backend.callsOf('run').length;
    const refused = await caller.tool('exchange_run');
    expect(refused.isError).toBe(true);
    expect(backend.callsOf('run').length - before).toBe(2);
  });

  test('that cannot be had is an error result, and nothing reaches the backend', async () => {
    const other = await running.caller({ scope: 'mcp:exchange', sub: 'user-2' });
    await other.tool('whoami');
    const before = running.backend('exchange').calls.length;
    issuer.goDown();
    const third = await running.caller({ scope: 'mcp:exchange', sub: 'user-3' });
    const answer = await third.tool('exchange_run');
    issuer.comeBack();
    expect(answer.isError).toBe(true);
    expect(answer.said).toBe('The authorization server cannot be asked for a token right now.');
    expect(running.backend('exchange').calls.length).toBe(before);
    const [record] = await running.calls(1, ({ code }) => code === 'identity_unavailable');
    expect(record).toMatchObject({ backend: 'exchange', outcome: 'error' });
  });
});
