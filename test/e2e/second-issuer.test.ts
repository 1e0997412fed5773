import {
  Client as ClientV2,
  type OAuthClientProvider as ProviderV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import type { OAuthClientProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import { startCortex, startGateway } from '../support/binary.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { type Glewlwyd, glewlwydPath, glewlwydReason, startGlewlwyd } from '../support/glewlwyd.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { connectClient } from './support/any-client.ts';
import { until } from './support/deployment.ts';

const port = freePort();
const url = `http://127.0.0.1:${port}/mcp`;
const technicalToken = 'technical-token-0123456789-0123456789';
const parts = new AsyncDisposableStack();
let server: Glewlwyd;
let config: string;
let records: () => readonly Record<string, unknown>[];

if (glewlwydReason !== undefined) console.warn(`sign-ins at glewlwyd are not tested: ${glewlwydReason}`);

/** A gateway as a process in front of one application, with Glewlwyd as the only issuer. */
beforeAll(async () => {
  if (glewlwydPath === undefined) return;
  const folder = parts.use(await createTempFolder());
  server = parts.use(
    await startGlewlwyd({ resource: url, scopes: ['notes:read', 'notes:write', 'elsewhere:read'] }),
  );
  await server.addUser('ada', 'lovelace-1843', ['notes:read', 'notes:write']);
  await server.addUser('bob', 'babbage-1843', ['notes:read']);
  await server.addUser('eve', 'editor-1843', ['notes:read'], ['editor']);
  await server.addClient({
    client_id: 'nightly',
    name: 'Nightly report',
    confidential: true,
    client_secret: 'nightly-secret-1843',
    authorization_type: ['client_credentials'],
    token_endpoint_auth_method: ['client_secret_basic'],
    scope: ['notes:read'],
  });
  const tools = [
    { name: 'list', scope: 'notes:read' },
    { name: 'write', scope: 'notes:write' },
    { name: 'publish', scope: 'notes:publish' },
  ];
  const backend = parts.use(createCapturingBackend({ technicalToken, tools }));
  config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: {
      issuers: [
        {
          url: server.issuer,
          preset: 'rfc9068',
          claims: { role: ['role'] },
          roles: { editor: ['notes:publish'] },
        },
      ],
    },
    plans: { pro: ['notes:read', 'notes:write'], free: ['notes:read'] },
    backends: { notes: { url: backend.url, technical_token: technicalToken } },
    audit: { stdout: true },
  });
  const gateway = await startGateway({ args: ['--config', config], cwd: folder.path, port });
  parts.defer(async () => void (await gateway.stop()));
  await waitForTool(url, await machineToken(), 'notes_list');
  records = () =>
    gateway
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"v":'))
      .map((line) => JSON.parse(line));
}, 40_000);
afterAll(() => parts.disposeAsync());

const machineToken = () => server.clientToken('nightly', 'nightly-secret-1843', 'notes:read');

/** What an application keeps. Glewlwyd lets whoever registers have a secret, and takes codes of nobody without one. */
function keeper<Information, Tokens>() {
  const kept: { information?: Information; tokens?: Tokens; verifier: string; url?: URL } = { verifier: '' };
  const provider = {
    redirectUrl: 'http://127.0.0.1:45998/callback',
    clientMetadata: {
      client_name: 'A client',
      redirect_uris: ['http://127.0.0.1:45998/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    clientInformation: () => kept.information,
    saveClientInformation: (information: Information) => {
      kept.information = information;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens: Tokens) => {
      kept.tokens = tokens;
    },
    redirectToAuthorization: (target: URL) => {
      kept.url = target;
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier,
  };
  return { kept, provider };
}

interface SignedIn {
  readonly accessToken: string;
  tools(): Promise<readonly string[]>;
  call(name: string): Promise<string>;
}

async function signInV2(name: string, password: string, mode: 'auto' | 'legacy'): Promise<SignedIn> {
  type Information = NonNullable<Awaited<ReturnType<ProviderV2['clientInformation']>>>;
  type Tokens = NonNullable<Awaited<ReturnType<ProviderV2['tokens']>>>;
  type Discovery = Awaited<ReturnType<NonNullable<ProviderV2['discoveryState']>>>;
  const { kept, provider: common } = keeper<Information, Tokens>();
  let discovery: Discovery;
  const provider: ProviderV2 = {
    ...common,
    discoveryState: () => discovery,
    saveDiscoveryState: (state) => {
      discovery = state;
    },
  };
  const options = { versionNegotiation: { mode } } as const;
  const transport = new TransportV2(new URL(url), { authProvider: provider });
  await expect(new ClientV2({ name: 'v2', version: '1' }, options).connect(transport)).rejects.toThrow();
  await transport.finishAuth((await server.signIn(kept.url?.href ?? '', name, password)).searchParams);
  const client = new ClientV2({ name: 'v2', version: '1' }, options);
  await client.connect(new TransportV2(new URL(url), { authProvider: provider }));
  return {
    accessToken: kept.tokens?.access_token ?? '',
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool) => JSON.stringify((await client.callTool({ name: tool, arguments: {} })).content),
  };
}

async function signInV1(name: string, password: string): Promise<SignedIn> {
  type Information = NonNullable<Awaited<ReturnType<ProviderV1['clientInformation']>>>;
  type Tokens = NonNullable<Awaited<ReturnType<ProviderV1['tokens']>>>;
  const { kept, provider } = keeper<Information, Tokens>();
  const transport = new TransportV1(new URL(url), { authProvider: provider });
  await expect(new ClientV1({ name: 'v1', version: '1' }).connect(transport)).rejects.toThrow();
  const back = await server.signIn(kept.url?.href ?? '', name, password);
  await transport.finishAuth(back.searchParams.get('code') ?? '');
  const client = new ClientV1({ name: 'v1', version: '1' });
  await client.connect(new TransportV1(new URL(url), { authProvider: provider }));
  return {
    accessToken: kept.tokens?.access_token ?? '',
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool) => JSON.stringify((await client.callTool({ name: tool, arguments: {} })).content),
  };
}

describe.skipIf(glewlwydPath === undefined)('an authorization server of somebody else, Glewlwyd', () => {
  describe.each([
    ['v2, modern', (name: string, password: string) => signInV2(name, password, 'auto')],
    ['v2, legacy', (name: string, password: string) => signInV2(name, password, 'legacy')],
    ['v1, legacy', signInV1],
  ] as const)('with a client that is given nothing but the URL (%s)', (_kind, signIn) => {
    test('signs a person in, and gives the tools of the scopes that the server granted (R35)', async () => {
      const client = await signIn('ada', 'lovelace-1843');
      const tools = await client.tools();
      expect(tools).toContain('notes_list');
      expect(tools).toContain('notes_write');
      expect(tools).not.toContain('notes_publish');
      const who = await client.call('whoami');
      expect(who).toContain(server.issuer);
      expect(who).toContain('pro');
      expect(await client.call('notes_list')).not.toContain('isError');
    });
  });

  test('gives each person what that person was granted, and roles their scopes', async () => {
    const bob = await signInV2('bob', 'babbage-1843', 'auto');
    expect(await bob.tools()).not.toContain('notes_write');
    await expect(bob.call('notes_write')).rejects.toThrow('Unknown tool: notes_write');
    const eve = await signInV2('eve', 'editor-1843', 'auto');
    expect(await eve.tools()).toContain('notes_publish');
    expect(await eve.call('whoami')).toContain('editor');
  });

  test('lets a machine in as itself, and the audit says that it is one', async () => {
    const client = await connectClient('v2, modern', url, await machineToken());
    expect(await client.tools()).toEqual(expect.arrayContaining(['notes_list']));
    const who = (await client.call('whoami')).text;
    expect(who).toContain('nightly');
    expect(who).toContain('client');
    await client.call('notes_list');
    await client.close();
    const calls = (caller: string) =>
      records().filter((record) => record.tool === 'notes_list' && record.caller === caller);
    await until(() => calls('client').length > 0, 'the record of the machine');
    expect(calls('client')[0]).toMatchObject({ client: 'nightly', outcome: 'ok' });
    // Whose it is stands there as a pseudonym, as with people.
    expect(calls('client')[0]?.user).toMatch(/^[\w-]{22}$/);
    expect(calls('user')).not.toEqual([]);
  });

  test('signs people in on the gateway’s own pages, as a client that registered itself with a secret', async () => {
    const browser = createHeadlessBrowser();
    const away = await browser.open(`http://127.0.0.1:${port}/sign-in`);
    if (away.kind === 'page') throw new Error(`not sent to the issuer: ${away.page.html}`);
    const back = await server.signIn(away.location, 'ada', 'lovelace-1843');
    const arrived = await browser.open(back.href);
    expect(arrived.kind === 'page' && arrived.page.html).toContain('Your accounts');
  });

  test('passes the doctor, who explains one of its tokens and knows its peculiarity', async () => {
    const eve = await signInV2('eve', 'editor-1843', 'auto');
    const told = startCortex({
      args: [
        'doctor',
        url,
        '--config',
        config,
        '--json',
        '--quiet',
        '--listen-for',
        '2',
        '--token',
        eve.accessToken,
      ],
      cwd: '/',
    });
    expect(await told.exited).toBe(0);
    const { steps } = JSON.parse(told.output());
    const statuses = steps.map(({ step, status }: { step: string; status: string }) => `${step} ${status}`);
    expect(statuses).toEqual([
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
      // It takes codes of clients with a secret alone.
      'registration warning',
      // Nor does it know the scope that a role stands for.
      'scopes ok',
      'audience ok',
      'clock ok',
      'token ok',
      'signature ok',
      'acceptance ok',
      'identity ok',
      'initialize ok',
      'discover ok',
      'list ok',
      'call ok',
      'stream ok',
      'idle ok',
      'notes ok',
    ]);
    const identity = steps.find(({ step }: { step: string }) => step === 'identity');
    expect(identity.details).toContain('role: editor');
  });
});
