import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FetchDocument } from '#demo/authorization-server/options.ts';
import { type Demo, issuer, readAnswer, redemption, startDemo } from './demo-fixture.ts';

interface KnownClient {
  readonly name: string;
  /** What it sends to the registration endpoint, as its source, its vendor or servers that met it say. */
  readonly registers: Readonly<Record<string, unknown>>;
  /** Where it lets the browser be sent, each able to sign in alone. */
  readonly redirects: readonly string[];
}
const publicClient = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};

const knownClients: readonly KnownClient[] = [
  {
    // https://github.com/erp-mafia/accounted/pull/2225, https://github.com/bytebase/bytebase/issues/20510
    name: 'Cursor, with everything it registers at once',
    registers: {
      ...publicClient,
      client_name: 'Cursor',
      redirect_uris: [
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'https://www.cursor.com/bot/mcp/oauth/callback',
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'http://localhost:8787/callback',
        'grokbot://mcp/oauth/callback',
      ],
    },
    redirects: [
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'http://localhost:8787/callback',
      'grokbot://mcp/oauth/callback',
    ],
  },
  {
    // https://github.com/makeplane/plane-mcp-server/issues/159
    name: 'Cursor, when it registered its own scheme alone',
    registers: {
      ...publicClient,
      client_name: 'Cursor',
      redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'],
    },
    redirects: ['cursor://anysphere.cursor-mcp/oauth/callback'],
  },
  {
    // https://github.com/microsoft/vscode/blob/main/src/vs/base/common/oauth.ts, fetchDynamicRegistration
    name: 'VS Code',
    registers: {
      ...publicClient,
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      grant_types: [...publicClient.grant_types, 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      application_type: 'native',
    },
    redirects: [
      'https://vscode.dev/redirect',
      'https://insiders.vscode.dev/redirect',
      'http://127.0.0.1:33418/',
      'http://127.0.0.1:59656/',
    ],
  },
  {
    // https://github.com/anthropics/claude-ai-mcp/issues/313
    name: 'Claude on the web, on the desktop and on phones',
    registers: {
      ...publicClient,
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    redirects: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
  },
  {
    // https://code.claude.com/docs/en/mcp: a port of its own at each start.
    name: 'Claude Code in a terminal',
    registers: {
      ...publicClient,
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost:3118/callback'],
    },
    redirects: ['http://localhost:3118/callback', 'http://localhost:52011/callback'],
  },
  {
    // https://github.com/anthropics/claude-code/issues/93671
    name: 'Claude Code in the desktop app',
    registers: {
      ...publicClient,
      client_name: 'Claude Code',
      redirect_uris: ['claude://claude.ai/mcp-auth-callback/sdk'],
    },
    redirects: ['claude://claude.ai/mcp-auth-callback/sdk'],
  },
  {
    // https://github.com/openai/codex, codex-rs/rmcp-client/src/perform_oauth_login.rs; the last part of the path is
    // made of the server's URL.
    name: 'Codex',
    registers: {
      ...publicClient,
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:40411/callback/AbCd_012-xyz'],
    },
    redirects: ['http://127.0.0.1:40411/callback/AbCd_012-xyz'],
  },
  {
    // https://github.com/google-gemini/gemini-cli/pull/24844: a random port, 7777 in older versions.
    name: 'Gemini CLI',
    registers: {
      ...publicClient,
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
    },
    redirects: ['http://localhost:7777/oauth/callback', 'http://localhost:39021/oauth/callback'],
  },
  {
    // No public source says which of the two it registers for MCP; https://github.com/trypostit/trypost/pull/336 counts
    // it among the clients with a scheme of their own.
    name: 'Windsurf',
    registers: {
      ...publicClient,
      client_name: 'Windsurf',
      redirect_uris: ['windsurf://codeium.windsurf/oauth/callback', 'http://127.0.0.1:43110/oauth/callback'],
    },
    redirects: ['windsurf://codeium.windsurf/oauth/callback', 'http://127.0.0.1:51877/oauth/callback'],
  },
];

const documents = new Map<string, unknown>();
const fetchDocument: FetchDocument = async (url) => ({
  ok: true,
  value: { body: documents.get(url), maxAgeSeconds: undefined },
});
let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ fetchDocument });
});
afterAll(() => demo.server.close());

/** From the registered client to a token, over the redirect given. */
async function signIn(clientId: string, redirect: string, secret?: string) {
  const arrived = await demo.authorize({ client_id: clientId, redirect_uri: redirect });
  const answer = await demo.post('/token', {
    ...redemption(clientId, arrived),
    redirect_uri: redirect,
    ...(secret === undefined ? {} : { client_secret: secret }),
  });
  return { arrived, answer };
}

describe('clients as they really are', () => {
  for (const { name, registers, redirects } of knownClients) {
    it.each(redirects)(`${name} signs in by %s`, async (redirect) => {
      demo.clock.advance(3_600);
      const registered = await readAnswer(
        await demo.send(`${issuer}/register`, { method: 'POST', body: JSON.stringify(registers) }),
      );
      expect(registered.status).toBe(201);
      expect(registered.body.redirect_uris).toEqual(registers.redirect_uris);
      const secret =
        registered.body.client_secret === undefined ? undefined : registered.text('client_secret');
      const { arrived, answer } = await signIn(registered.text('client_id'), redirect, secret);
      expect(arrived.href.startsWith(`${redirect}?code=`)).toBe(true);
      expect(arrived.searchParams.get('iss')).toBe(issuer);
      expect(answer.status).toBe(200);
    });
  }

  it('may describe themselves with a scheme of their own', async () => {
    const clientId = 'https://app.test/oauth/client.json';
    const redirect = 'com.example.app:/oauth2redirect';
    documents.set(clientId, { client_id: clientId, client_name: 'App', redirect_uris: [redirect] });
    expect((await signIn(clientId, redirect)).answer.status).toBe(200);
  });

  it('as Claude Code describes itself: loopback without a port', async () => {
    const clientId = 'https://claude.test/oauth/claude-code-client-metadata';
    const redirect_uris = ['http://localhost/callback', 'http://127.0.0.1/callback'];
    documents.set(clientId, {
      ...publicClient,
      client_id: clientId,
      client_name: 'Claude Code',
      redirect_uris,
    });
    expect((await signIn(clientId, 'http://localhost:52013/callback')).answer.status).toBe(200);
  });
});
