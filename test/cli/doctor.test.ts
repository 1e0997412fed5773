import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewaySteps } from '#cli/doctor/examine.ts';
import { issuerSteps } from '#cli/doctor/issuer-steps.ts';
import { sessionSteps } from '#cli/doctor/session-steps.ts';
import { streamSteps } from '#cli/doctor/stream-steps.ts';
import { tokenSteps } from '#cli/doctor/token-steps.ts';
import { makeKey, type SigningKey, sign } from '../auth/key-server.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { canonicalUrl, runGateway } from '../support/running-gateway.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

type Document = Readonly<Record<string, unknown>>;

const notesTools = {
  tools: [
    { name: 'list', scope: 'notes:read' },
    { name: 'write', scope: 'notes:write' },
  ],
};

/**
 * An issuer whose every document can be changed; `date` is what it takes the time for. An application answers there,
 * too.
 */
function startIssuer() {
  const documents = new Map<string, unknown>([['/api/cortex/backend', notesTools]]);
  let date: string | undefined;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const document = documents.get(new URL(request.url).pathname);
      if (document === undefined) return new Response('none', { status: 404 });
      return Response.json(document, date === undefined ? {} : { headers: { date } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    documents,
    setDate: (next: string | undefined) => {
      date = next;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

let issuer: ReturnType<typeof startIssuer>;
let folder: TempFolder;
let key: SigningKey;
beforeAll(async () => {
  issuer = startIssuer();
  folder = await createTempFolder();
  key = await makeKey('RS256', 'k1');
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await folder.remove();
});

const sound = (): Document => ({
  issuer: issuer.url,
  authorization_endpoint: `${issuer.url}/authorize`,
  token_endpoint: `${issuer.url}/token`,
  registration_endpoint: `${issuer.url}/register`,
  jwks_uri: `${issuer.url}/keys`,
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
  scopes_supported: ['notes:read', 'notes:write'],
});

interface Setup {
  readonly metadata?: Document;
  readonly keys?: readonly unknown[];
  readonly issuer?: Document;
  readonly config?: Document;
  readonly token?: string;
}

interface Told {
  readonly exitCode: number;
  readonly steps: readonly {
    readonly step: string;
    readonly status: string;
    readonly found: string;
    readonly fix: string | null;
    readonly details: readonly string[];
  }[];
}

/** What the doctor says of an issuer like this, as JSON. */
async function ask(setup: Setup = {}): Promise<Told> {
  issuer.documents.set('/.well-known/oauth-authorization-server', { ...sound(), ...setup.metadata });
  issuer.documents.set('/keys', { keys: setup.keys ?? [key.jwk] });
  const config = await writeConfig(folder.path, {
    gateway: { url: canonicalUrl },
    auth: { issuers: [{ url: issuer.url, ...setup.issuer }], ...setup.config },
    plans: { pro: ['notes:read', 'notes:write'], free: ['notes:read'] },
    backends: { notes: { url: issuer.url, technical_token: 'x' } },
  });
  const token = setup.token === undefined ? '' : ` --token ${setup.token}`;
  const { exitCode, stdout } = await run(`doctor --json --config ${config}${token}`);
  return { exitCode, steps: JSON.parse(stdout).steps };
}
const last = (told: Told) => told.steps.at(-1);
const stepOf = (told: Told, name: string) => told.steps.find(({ step }) => step === name);

function mint(changes: Document = {}, header: Document = {}, by = key): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: issuer.url, sub: 'ada', aud: canonicalUrl, client_id: 'c', iat: now, exp: now + 600 };
  return sign(by, { ...claims, scope: 'notes:read notes:write', ...changes }, header);
}

describe('the doctor, asked about an issuer', () => {
  test('takes each step of a client, in its order, and finds nothing', async () => {
    const told = await ask();
    expect(told.exitCode).toBe(0);
    expect(told.steps.map(({ step, status }) => `${step} ${status}`)).toEqual([
      'discovery ok',
      'issuer ok',
      'endpoints ok',
      'keys ok',
      'pkce ok',
      'registration ok',
      'scopes ok',
      'audience ok',
      'clock ok',
      'notes ok',
    ]);
  });

  const failures: readonly (readonly [title: string, setup: () => Setup, step: string, fix: string])[] = [
    [
      'no metadata',
      () => ({ metadata: { issuer: undefined } }),
      'discovery',
      'its metadata should be at one of these',
    ],
    [
      'a slash too many in the metadata',
      () => ({ metadata: { issuer: `${issuer.url}/` } }),
      'issuer',
      'a slash at the end counts',
    ],
    [
      'another issuer',
      () => ({ metadata: { issuer: 'https://evil.example' } }),
      'issuer',
      'if that is your issuer, set auth.issuers url to https://evil.example',
    ],
    [
      'no place to sign in',
      () => ({ metadata: { authorization_endpoint: undefined } }),
      'endpoints',
      'have the issuer publish it',
    ],
    ['no keys', () => ({ keys: [] }), 'keys', 'have the issuer sign with one of RS256'],
    [
      'keys of another algorithm',
      () => ({ issuer: { algorithms: ['ES256'] } }),
      'keys',
      'have the issuer sign with one of ES256',
    ],
    [
      'a shared secret among the keys',
      () => ({ keys: [key.jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }] }),
      'keys',
      'take it away at the issuer',
    ],
    [
      'a private key among the keys',
      () => ({ keys: [{ ...key.jwk, d: 'AAAA' }] }),
      'keys',
      'take it away at the issuer',
    ],
    [
      'expired keys alone',
      () => ({ keys: [{ ...key.jwk, exp: 1_000_000_000 }] }),
      'keys',
      'have the issuer make and publish a new key',
    ],
    [
      'a plain code challenge alone',
      () => ({ metadata: { code_challenge_methods_supported: ['plain'] } }),
      'pkce',
      'turn PKCE with S256 on',
    ],
    [
      'nothing about PKCE',
      () => ({ metadata: { code_challenge_methods_supported: undefined } }),
      'pkce',
      'turn PKCE with S256 on',
    ],
  ];
  test.each(failures)('stops at %s, and says what to do', async (_title, setup, step, fix) => {
    const told = await ask(setup());
    expect(told.exitCode).toBe(1);
    expect(last(told)).toMatchObject({ step, status: 'failed' });
    expect(last(told)?.fix).toContain(fix);
  });

  const warnings: readonly (readonly [title: string, setup: () => Setup, step: string, fix: string])[] = [
    [
      'a client has to be registered by hand',
      () => ({ metadata: { registration_endpoint: undefined } }),
      'registration',
      'register a client by hand',
    ],
    [
      'public clients may register and not be taken',
      () => ({ metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic'] } }),
      'registration',
      'allow the method none',
    ],
    [
      'a scope is asked for that the issuer does not have',
      () => ({ metadata: { scopes_supported: ['openid', 'notes:read'] } }),
      'scopes',
      'define them at the issuer',
    ],
    [
      'Entra keeps quiet about PKCE',
      () => ({
        issuer: { preset: 'entra' },
        metadata: { code_challenge_methods_supported: undefined },
      }),
      'pkce',
      'clients that insist on it',
    ],
    [
      'one of the keys has expired',
      () => ({ keys: [key.jwk, { ...key.jwk, kid: 'old', exp: 1_000_000_000 }] }),
      'keys',
      'take expired keys away',
    ],
    [
      'two keys have one name',
      () => ({ keys: [key.jwk, key.jwk] }),
      'keys',
      'give each key a kid of its own',
    ],
    ...(['keycloak', 'auth0', 'okta', 'entra', 'hydra', 'authentik'] as const).map(
      (preset) =>
        [
          `the audience has to be seen to at ${preset}`,
          () => ({
            issuer: { preset },
            metadata: { code_challenge_methods_supported: ['S256'] },
          }),
          'audience',
          '',
        ] as const,
    ),
  ];
  test.each(warnings)('goes on and warns where %s', async (_title, setup, step, fix) => {
    const told = await ask(setup());
    expect(told.exitCode).toBe(0);
    expect(stepOf(told, step)?.status).toBe('warning');
    expect(stepOf(told, step)?.fix).toContain(fix);
  });

  test('says that nothing was there to judge, with an exit code of its own', async () => {
    const told = await ask({ issuer: { url: `http://127.0.0.1:${freePort()}` } });
    expect(told.exitCode).toBe(3);
    expect(last(told)).toMatchObject({ step: 'discovery', status: 'unreachable' });
  });

  test('looks at each of several issuers, and stops at the first that fails', async () => {
    const told = await ask({
      config: {
        issuers: [{ url: issuer.url }, { url: `${issuer.url}/tenant` }, { url: 'http://127.0.0.1:9' }],
      },
    });
    expect(told.exitCode).toBe(1);
    expect(told.steps.map(({ step }) => step).lastIndexOf('discovery')).toBe(9);
    expect(told.steps).toHaveLength(10);
  });
});

describe('the doctor, given a token', () => {
  test('explains it claim by claim, and what it is worth', async () => {
    const told = await ask({ token: await mint({ sid: 's', nickname: 'x' }) });
    expect(told.exitCode).toBe(0);
    const said = stepOf(told, 'token')?.details ?? [];
    expect(said).toContain(`  aud = "${canonicalUrl}": for this gateway`);
    expect(said).toContain('  sub = "ada": who it is');
    expect(said).toContain('  sid = "s": the session');
    expect(said).toContain('  nickname = "x": not read');
    expect(said.join()).toMatch(/exp = \d+: ends in 10 min/);
    expect(stepOf(told, 'identity')).toMatchObject({
      status: 'ok',
      found: 'the person ada, plan pro',
      details: ['scopes: notes:read notes:write', 'plan: pro', 'role: none', 'client: c'],
    });
  });

  const now = () => Math.floor(Date.now() / 1_000);
  const refusals: readonly (readonly [
    title: string,
    token: () => Promise<string>,
    step: string,
    found: string,
    fix: string,
  ])[] = [
    ['an opaque token', async () => 'ory_at_x', 'token', 'this is no JWT', 'set introspection'],
    [
      'one of another issuer',
      () => mint({ iss: `${issuer.url}/` }),
      'signature',
      'issuer_unknown',
      'a slash at the end counts',
    ],
    [
      'one of another environment',
      async () => mint({}, {}, await makeKey('RS256', 'k9')),
      'signature',
      'key_unknown',
      'another environment',
    ],
    [
      'a forged one',
      async () => mint({}, {}, await makeKey('RS256', 'k1')),
      'signature',
      'signature_invalid',
      'get a new one',
    ],
    [
      'one that has ended',
      () => mint({ iat: now() - 7_200, exp: now() - 3_600 }),
      'signature',
      'expired',
      'compare the clocks',
    ],
    [
      'one that has not begun',
      () => mint({ iat: now() + 3_600, exp: now() + 7_200 }),
      'signature',
      'not_yet_valid',
      'compare the clocks',
    ],
    ['one without an end', () => mint({ exp: undefined }), 'signature', 'claim_missing', 'exp and iat'],
    [
      'an ID token by its type',
      () => mint({}, { typ: 'id+jwt' }),
      'signature',
      'type_refused',
      'not the ID token',
    ],
    [
      'one for another API',
      () => mint({ aud: 'https://api.example' }),
      'acceptance',
      'audience_refused (aud "https://api.example")',
      'have clients send resource',
    ],
    [
      'one that is bound to a certificate',
      () => mint({ cnf: { 'x5t#S256': 'x' } }),
      'acceptance',
      'sender_constrained',
      'bound in a way that is not understood',
    ],
    [
      'one without a person or a client',
      () => mint({ sub: undefined, client_id: undefined }),
      'identity',
      'subject_missing',
      'claims.subject',
    ],
  ];
  test.each(refusals)('says why %s is refused', async (_title, token, step, found, fix) => {
    const told = await ask({ token: await token() });
    expect(told.exitCode).toBe(1);
    expect(last(told)).toMatchObject({ step, status: 'failed' });
    expect(last(told)?.found).toContain(found);
    expect(last(told)?.fix).toContain(fix);
  });

  test('says that one needs proofs', async () => {
    const told = await ask({ token: await mint({ cnf: { jkt: 'thumbprint' } }) });
    expect(stepOf(told, 'acceptance')?.found).toContain('needs a proof of its key (DPoP)');
    const unbound = await ask({ issuer: { dpop: 'require' }, token: await mint() });
    expect(last(unbound)?.found).toContain('dpop_required');
  });

  test('marks the claims that are wrong', async () => {
    const told = await ask({ token: await mint({ aud: ['urn:other'], exp: now() - 7_200 }) });
    expect(stepOf(told, 'token')?.found).toContain('look at aud, exp');
    expect(stepOf(told, 'token')?.details.filter((line) => line.startsWith('!'))).toHaveLength(2);
  });

  test('reads it as the configured preset does, a client that may not come among it', async () => {
    const settings = { preset: 'cognito', clients: ['web'] };
    const claims = { token_use: 'access', aud: undefined, client_id: 'web' };
    expect((await ask({ issuer: settings, token: await mint(claims) })).exitCode).toBe(0);
    const other = await ask({ issuer: settings, token: await mint({ ...claims, client_id: 'other' }) });
    expect(last(other)?.found).toContain('client_refused');
    const idToken = await ask({ issuer: settings, token: await mint({ ...claims, token_use: 'id' }) });
    expect(last(idToken)?.found).toContain('type_refused');
  });

  test('warns of one that sees nothing, and refuses one below the baseline or of another pool', async () => {
    const bare = await mint({ scope: 'openid' });
    expect(stepOf(await ask({ token: await mint({ scope: undefined }) }), 'identity')?.status).toBe(
      'warning',
    );
    const config = { baseline_scopes: ['notes:read'], required_pool: undefined };
    expect(last(await ask({ token: bare, config }))?.found).toContain('scope_missing');
    expect(last(await ask({ token: bare, config: { required_pool: 'staff' } }))?.found).toContain(
      'pool_refused',
    );
  });

  test('stops at a clock that would have good tokens refused, and warns of one that ends them early', async () => {
    issuer.setDate(new Date(Date.now() + 120_000).toUTCString());
    const behind = await ask({ token: await mint() });
    issuer.setDate(new Date(Date.now() - 120_000).toUTCString());
    const ahead = await ask({ token: await mint() });
    issuer.setDate(undefined);
    expect(behind.exitCode).toBe(1);
    expect(last(behind)).toMatchObject({ step: 'clock', status: 'failed' });
    expect(last(behind)?.found).toMatch(/this machine’s clock is 1[12]\d s behind the issuer’s/);
    expect(last(behind)?.fix).toContain('timedatectl set-ntp true');
    expect(stepOf(ahead, 'clock')).toMatchObject({ status: 'warning' });
  });

  test('takes it from stdin, and never shows it', async () => {
    await ask();
    const token = await mint();
    const line = `doctor --config ${join(folder.path, 'cortex.yaml')} --token -`;
    const told = await run(line, { stdin: [token] });
    expect(told.exitCode).toBe(0);
    expect(told.stdout).toContain('the person ada, plan pro');
    expect(told.stdout + told.stderr).not.toContain(token.slice(0, 40));
    expect((await run(line)).exitCode).toBe(2);
  });
});

describe('the doctor, given the URL of a gateway', () => {
  test('begins at the gateway, and goes on at the issuer that it names', async () => {
    await ask();
    const port = freePort();
    const url = `http://127.0.0.1:${port}/mcp`;
    await using gateway = await runGateway({ config: { gateway: { url, listen: `127.0.0.1:${port}` } } });
    using _listener = serveAt(port, gateway);
    const told = await run(`doctor --json ${url}`);
    const { steps } = JSON.parse(told.stdout);
    expect(steps.map((one: { step: string; status: string }) => `${one.step} ${one.status}`)).toEqual([
      'dns ok',
      'tls skipped',
      'challenge ok',
      'exposed skipped',
      'preflight skipped',
      'metadata ok',
      'resource ok',
      'discovery ok',
      'issuer ok',
      'endpoints ok',
      'keys ok',
      'pkce ok',
      'registration warning',
      'scopes ok',
      'audience ok',
      'clock ok',
    ]);
    expect(told.exitCode).toBe(0);
  });

  test('finds a gateway that clients know by another URL', async () => {
    const port = freePort();
    await using gateway = await runGateway();
    using _listener = serveAt(port, gateway);
    const told = await run(`doctor --json http://127.0.0.1:${port}/mcp`);
    expect(told.exitCode).toBe(1);
    expect(JSON.parse(told.stdout).steps.at(-1)).toMatchObject({ step: 'challenge', status: 'failed' });
  });

  test.each([
    ['something that is no gateway', () => new Response('hello'), 'answered 200, not 401'],
    [
      'a proxy that drops the challenge',
      () => new Response('no', { status: 401 }),
      'has no WWW-Authenticate',
    ],
    [
      'a door that wants a puzzle solved',
      () => new Response('<html>', { status: 403, headers: { 'cf-mitigated': 'challenge' } }),
      'Cloudflare wants a puzzle solved first',
    ],
    ['a flood', () => new Response('', { status: 429 }), 'too many requests'],
    [
      'a gateway that is stopping',
      () => Response.json({ error: 'stopping' }, { status: 503 }),
      'the gateway is stopping',
    ],
    [
      'a gateway that cannot fetch keys',
      () => Response.json({ error: 'temporarily_unavailable' }, { status: 503 }),
      'cannot fetch the keys of its issuer',
    ],
    ['another path', () => new Response('', { status: 405 }), 'answered 405, not 401'],
  ])('finds %s', async (_title, fetch, found) => {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
    const told = await run(`doctor --json http://127.0.0.1:${server.port}/mcp`);
    await server.stop(true);
    expect(told.exitCode).toBe(1);
    expect(JSON.parse(told.stdout).steps.at(-1).found).toContain(found);
  });

  test('finds nothing where nobody listens, and takes what is no URL for a mistake', async () => {
    expect((await run(`doctor http://127.0.0.1:${freePort()}/mcp`)).exitCode).toBe(3);
    expect((await run('doctor mcp.example.com')).exitCode).toBe(2);
  });
});

function serveAt(port: number, gateway: Awaited<ReturnType<typeof runGateway>>): Disposable {
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    fetch: (request) => gateway.gateway.fetch(request),
  });
  return { [Symbol.dispose]: () => void server.stop(true) };
}

describe('what the doctor says', () => {
  test('drives no terminal, whatever an issuer calls itself', async () => {
    const name = `${issuer.url}/\u001b]0;owned\u0007\u202e`;
    await ask({ metadata: { issuer: name } });
    const plain = await run(`doctor --config ${join(folder.path, 'cortex.yaml')}`);
    expect(plain.stdout).toContain('it calls itself');
    expect(plain.stdout).not.toMatch(/[^\P{C}\n]/u);
    await ask({ keys: [{ ...key.jwk, kid: '\u001b[2J' }] });
    const more = await run(`doctor --config ${join(folder.path, 'cortex.yaml')}`);
    expect(more.stdout).toContain('key <U+001B>[2J: good');
    expect(more.stdout).not.toMatch(/[^\P{C}\n]/u);
  });

  test('has a row for each step in docs/troubleshooting.md, in their order', async () => {
    const page = await Bun.file(join(import.meta.dirname, '../../docs/troubleshooting.md')).text();
    const table = page.slice(page.indexOf('## What the doctor looks at'));
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    const taken = [...gatewaySteps, ...issuerSteps, ...tokenSteps, ...sessionSteps, ...streamSteps];
    const names = taken.map(({ name }) => name);
    expect(rows).toEqual(names.toSpliced(names.indexOf('token'), 0, 'sign-in'));
  });
});
