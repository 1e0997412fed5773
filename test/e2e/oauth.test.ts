import {
  Client as ClientV2,
  type OAuthClientProvider as ProviderV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import type { OAuthClientProvider as ProviderV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBillingBackend } from '#demo/billing-backend.ts';
import { createNotesBackend } from '#demo/notes-backend.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { type ListeningDemo, listen } from '../demo/listening-demo.ts';
import { startGateway } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const port = freePort();
const url = `http://127.0.0.1:${port}/mcp`;
const technicalToken = 'technical-token-0123456789-0123456789';
const plans = {
  free: ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read'],
  pro: ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read', 'mcp:billing:export'],
};
const parts = new AsyncDisposableStack();
let listening: ListeningDemo;

/** The whole house: authorization server, two applications, and the gateway as a process. */
beforeAll(async () => {
  const folder = parts.use(await createTempFolder());
  listening = await listen({ resources: [url] });
  parts.defer(() => listening.close());
  const { issuer } = listening;
  const trusted = { issuer, jwksUri: `${issuer}/.well-known/jwks.json`, audience: url, technicalToken };
  const serve = (fetch: (request: Request) => Promise<Response>): string => {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
    parts.defer(() => server.stop(true));
    return server.url.origin;
  };
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer }] },
    plans: { pro: plans.pro, free: plans.free },
    backends: {
      notes: { url: serve(createNotesBackend(trusted).fetch), technical_token: technicalToken },
      billing: { url: serve(createBillingBackend(trusted).fetch), technical_token: technicalToken },
    },
  });
  const gateway = await startGateway({ args: ['--config', config], cwd: folder.path, port });
  parts.defer(async () => void (await gateway.stop()));
});
afterAll(() => parts.disposeAsync());

/** What an application keeps for either SDK; no scope is configured anywhere. */
function keeper<Information, Tokens>() {
  const kept: { information?: Information; tokens?: Tokens; verifier: string; url?: URL } = { verifier: '' };
  const provider = {
    redirectUrl: 'http://127.0.0.1:45998/callback',
    clientMetadata: {
      client_name: 'A client',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
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
const signUp = async (target: URL | undefined, email: string): Promise<URLSearchParams> =>
  (
    await signUpHeadlessly({
      authorizationUrl: target?.href ?? '',
      email,
      readLink: listening.demo.inbox.readLink,
    })
  ).searchParams;

interface SignedIn {
  tools(): Promise<readonly string[]>;
  call(name: string, args?: Record<string, unknown>): Promise<string>;
  /** Forgets the access token: the next request has to refresh. */
  expire(): void;
}

async function signInV2(email: string, mode: 'auto' | 'legacy'): Promise<SignedIn> {
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
  const transport = new TransportV2(new URL(url), { authProvider: provider });
  const options = { versionNegotiation: { mode } } as const;
  await expect(new ClientV2({ name: 'v2', version: '1' }, options).connect(transport)).rejects.toThrow();
  await transport.finishAuth(await signUp(kept.url, email));
  const client = new ClientV2({ name: 'v2', version: '1' }, options);
  await client.connect(new TransportV2(new URL(url), { authProvider: provider }));
  return {
    tools: async () =>
      (await client.listTools(undefined, { cacheMode: 'bypass' })).tools.map(({ name }) => name),
    call: async (name, args = {}) =>
      JSON.stringify((await client.callTool({ name, arguments: args })).content),
    expire: () => {
      if (kept.tokens) kept.tokens = { ...kept.tokens, access_token: 'expired' };
    },
  };
}

async function signInV1(email: string): Promise<SignedIn> {
  type Information = NonNullable<Awaited<ReturnType<ProviderV1['clientInformation']>>>;
  type Tokens = NonNullable<Awaited<ReturnType<ProviderV1['tokens']>>>;
  const { kept, provider } = keeper<Information, Tokens>();
  const transport = new TransportV1(new URL(url), { authProvider: provider });
  await expect(new ClientV1({ name: 'v1', version: '1' }).connect(transport)).rejects.toThrow();
  await transport.finishAuth((await signUp(kept.url, email)).get('code') ?? '');
  const client = new ClientV1({ name: 'v1', version: '1' });
  await client.connect(new TransportV1(new URL(url), { authProvider: provider }));
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args = {}) =>
      JSON.stringify((await client.callTool({ name, arguments: args })).content),
    expire: () => {
      if (kept.tokens) kept.tokens = { ...kept.tokens, access_token: 'expired' };
    },
  };
}

describe.each([
  ['v2, modern', (email: string) => signInV2(email, 'auto')],
  ['v2, legacy', (email: string) => signInV2(email, 'legacy')],
  ['v1, legacy', signInV1],
] as const)('a client that is given nothing but the URL (%s)', (kind, signIn) => {
  test('signs up, ends with the tools of its plan, and gets those of the other plan with its next token (R35)', async () => {
    const email = `${kind.replace(', ', '-')}@example.com`;
    const client = await signIn(email);
    const free = await client.tools();
    expect(free).toContain('notes_write_note');
    expect(free).not.toContain('billing_export_invoices');
    await expect(client.call('billing_export_invoices', { year: 2026 })).rejects.toThrow(
      'Unknown tool: billing_export_invoices',
    );
    expect(await client.call('whoami')).toContain(email);
    expect(await client.call('notes_write_note', { title: 'Mine', text: 'x' })).toContain('Mine');

    expect(listening.demo.server.setPlan(email, 'pro')).toBe(true);
    client.expire();
    const pro = await client.tools();
    expect(pro.filter((name) => !free.includes(name))).toEqual(['billing_export_invoices']);
    expect(await client.call('billing_export_invoices', { year: 2026 })).not.toContain('isError');
    expect(await client.call('whoami')).toContain('pro');
  });
});

test('two people with the same client see their own data and nobody else’s', async () => {
  const [ada, bob] = [await signInV2('ada@example.com', 'auto'), await signInV2('bob@example.com', 'auto')];
  await ada.call('notes_write_note', { title: 'The secret of Ada', text: 'x' });
  expect(await ada.call('notes_list_notes')).toContain('The secret of Ada');
  expect(await bob.call('notes_list_notes')).not.toContain('The secret of Ada');
});
