import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import {
  type AuthorizationServer,
  createAuthorizationServer,
} from '#demo/authorization-server/create-authorization-server.ts';
import type { AuthorizationServerOptions } from '#demo/authorization-server/options.ts';
import { createHeadlessBrowser, type HeadlessBrowser } from '#demo/headless-browser.ts';
import { createInbox, type Inbox } from '#demo/mailer.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';

export const issuer = 'http://auth.test';
export const resource = 'http://gateway.test/mcp';
export const redirectUri = 'http://127.0.0.1:41000/callback';
export const verifier = 'v'.repeat(43);
export const challenge = createHash('sha256').update(verifier).digest('base64url');

export interface FakeClock extends Clock {
  advance(seconds: number): void;
}

export function createFakeClock(): FakeClock {
  let now = 1_800_000_000_000;
  return {
    now: () => now,
    monotonic: () => now,
    advance(seconds) {
      now += seconds * 1000;
    },
  };
}

export interface Demo {
  readonly server: AuthorizationServer;
  readonly clock: FakeClock;
  readonly inbox: Inbox;
  /** A fetch function that reaches the server without a socket. */
  send(url: string, init?: RequestInit): Promise<Response>;
  browser(): HeadlessBrowser;
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  register(metadata?: Readonly<Record<string, unknown>>): Promise<string>;
  /** From the authorization URL to the redirect. */
  authorize(parameters: Readonly<Record<string, string | undefined>>, who?: Who): Promise<URL>;
  /** The whole flow; returns the token answer. */
  tokens(
    clientId: string,
    parameters?: Readonly<Record<string, string | undefined>>,
    who?: Who,
  ): Promise<Answer>;
}
export interface Who {
  readonly email?: string;
  readonly browser?: HeadlessBrowser;
  readonly decision?: 'allow' | 'deny';
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
  /** The string at `key`; fails the test where there is none. */
  text(key: string): string;
}

export function authorizationUrl(parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(`${issuer}/authorize`);
  const defaults = {
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'the-state',
    resource,
  };
  for (const [name, value] of Object.entries({ ...defaults, ...parameters }))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

export const resourceServer = {
  clientId: 'gateway',
  name: 'The gateway',
  secret: new Secret('gateway-secret'),
  redirectUris: [],
  isResourceServer: true,
  exchangeAudiences: ['http://billing.test'],
} as const;
export const basic = { authorization: `Basic ${btoa('gateway:gateway-secret')}` };

/** One key for all servers of a test file: making one takes longer than a whole flow. */
const keyFile = join(mkdtempSync(join(tmpdir(), 'cortex-demo-key-')), 'demo.key');
afterAll(() => rmSync(dirname(keyFile), { recursive: true, force: true }));

export async function startDemo(overrides: Partial<AuthorizationServerOptions> = {}): Promise<Demo> {
  const clock = createFakeClock();
  const inbox = createInbox();
  const server = await createAuthorizationServer({
    issuer,
    resources: [resource],
    scopes: {
      'mcp:notes:read': 'Read your notes',
      'mcp:notes:write': 'Write notes',
      'mcp:billing:read': 'See your plan',
      'mcp:billing:export': 'Export your invoices',
    },
    plans: {
      free: ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read'],
      pro: ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read', 'mcp:billing:export'],
    },
    databasePath: ':memory:',
    keyFile,
    clock,
    log: silentLog,
    mailer: inbox,
    fetchDocument: undefined,
    allowsLoopbackDocuments: false,
    clients: [resourceServer],
    ...overrides,
  });

  const demo: Demo = {
    server,
    clock,
    inbox,
    send: (url, init) => server.fetch(new Request(url, init), '192.0.2.1'),
    browser: () => createHeadlessBrowser(demo.send),
    async post(path, form, headers = {}) {
      const body = new URLSearchParams(form);
      return readAnswer(await demo.send(`${issuer}${path}`, { method: 'POST', body, headers }));
    },
    async register(metadata = {}) {
      const body = JSON.stringify({
        client_name: 'Test client',
        redirect_uris: ['http://127.0.0.1/callback'],
        token_endpoint_auth_method: 'none',
        ...metadata,
      });
      return (await readAnswer(await demo.send(`${issuer}/register`, { method: 'POST', body }))).text(
        'client_id',
      );
    },
    authorize(parameters, { email = 'ada@example.com', browser = demo.browser(), decision = 'allow' } = {}) {
      const url = authorizationUrl(parameters);
      return signUpHeadlessly({ authorizationUrl: url, email, readLink: inbox.readLink, browser, decision });
    },
    async tokens(clientId, parameters = {}, who = {}) {
      const redirect = await demo.authorize({ client_id: clientId, ...parameters }, who);
      return demo.post('/token', redemption(clientId, redirect));
    },
  };
  return demo;
}

/** The token request that fits a redirect. */
export function redemption(clientId: string, redirect: URL): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: redirect.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
}

export async function readAnswer(response: Response): Promise<Answer> {
  const json: unknown = await response.json();
  const body = isJsonObject(json) ? json : {};
  return {
    status: response.status,
    headers: response.headers,
    body,
    text(key) {
      const value = body[key];
      if (typeof value !== 'string') throw new Error(`No ${key} in ${JSON.stringify(body)}`);
      return value;
    },
  };
}
