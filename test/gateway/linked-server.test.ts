import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createHeadlessBrowser,
  type HeadlessBrowser,
  type Page,
  type Visit,
} from '#demo/headless-browser.ts';
import { signUpForTokens, signUpHeadlessly } from '#demo/sign-up.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import { basic, type Demo, startDemo } from '../demo/demo-fixture.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import {
  canonicalUrl,
  type GatewaySetup,
  type RunningGateway,
  runGateway,
} from '../support/running-gateway.ts';
import { type NativeServer, startNativeServer } from './support/native-server.ts';

const gatewayOrigin = new URL(canonicalUrl).origin;

interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
  readonly demo: Demo;
}

/** The demo's authorization server on a socket, for one resource. */
async function startIssuer(resource: string): Promise<AuthorizationServer> {
  let demo: Demo | undefined;
  const socket = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, self) =>
      demo?.server.fetch(request, self.requestIP(request)?.address ?? 'unknown') ??
      new Response(null, { status: 503 }),
  });
  const issuer = `http://127.0.0.1:${socket.port}`;
  const started = await startDemo({ issuer, resources: [resource], clock: systemClock });
  demo = started;
  return {
    issuer,
    demo: started,
    async [Symbol.asyncDispose]() {
      started.server.close();
      await socket.stop(true);
    },
  };
}

let ours: AuthorizationServer;
let theirs: AuthorizationServer;
let native: NativeServer;
let running: RunningGateway;

beforeAll(async () => {
  ours = await startIssuer(canonicalUrl);
  native = startNativeServer({
    guard: {
      issuer: () => theirs.issuer,
      async accepts(token) {
        const body = new URLSearchParams({ token });
        const answer = await fetch(`${theirs.issuer}/introspect`, { method: 'POST', headers: basic, body });
        const told: unknown = await answer.json();
        return isJsonObject(told) && told.active === true;
      },
    },
  });
  theirs = await startIssuer(native.url);
  running = await runGateway(setup());
});
afterAll(async () => {
  await running.close();
  await native[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
  await ours[Symbol.asyncDispose]();
});

function setup(): GatewaySetup {
  return {
    config: {
      auth: { issuers: [{ url: ours.issuer }], challenge_scopes: ['mcp:notes:read'] },
      servers: { notes: { url: native.url, scopes: { default: 'mcp:notes:read' } } },
    },
  };
}

async function callerOf(email: string): Promise<McpCaller> {
  const { readLink } = ours.demo.inbox;
  const tokens = await signUpForTokens({ issuer: ours.issuer, resource: canonicalUrl, email, readLink });
  return createCaller(tokens.accessToken, (request) => Promise.resolve(running.gateway.fetch(request)));
}

async function toolsOf(who: McpCaller): Promise<readonly string[]> {
  const { result } = await who.modern('tools/list');
  const tools = Array.isArray(result.tools) ? result.tools : [];
  return tools.map(({ name }) => String(name)).filter((name) => name.startsWith('notes_'));
}

function pageOf(visit: Visit): Page {
  if (visit.kind === 'left') throw new Error(`Expected a page, was sent to ${visit.location}.`);
  return visit.page;
}
function locationOf(visit: Visit): string {
  if (visit.kind === 'page') throw new Error(`Expected to be sent on: ${visit.page.html}`);
  return visit.location;
}

/** A person's browser at the gateway's pages, which lie at the canonical URL. */
function browserAt({ gateway }: RunningGateway): HeadlessBrowser {
  return createHeadlessBrowser(async (page, init) =>
    page.startsWith(gatewayOrigin) ? gateway.fetch(new Request(page, init)) : fetch(page, init),
  );
}

async function link(email: string, url: string): Promise<HeadlessBrowser> {
  const browser = browserAt(running);
  const first = pageOf(await browser.open(url));
  const href = /href="([^"]*\/sign-in\?[^"]*)"/.exec(first.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const signedIn = await signUpHeadlessly({
    authorizationUrl: locationOf(await browser.open(href)),
    email,
    readLink: ours.demo.inbox.readLink,
  });
  const begin = pageOf(await browser.open(signedIn.href));
  const consented = await signUpHeadlessly({
    authorizationUrl: locationOf(await browser.submit(begin, '/link/notes', {})),
    email: `${email.split('@')[0]}@notes.example`,
    readLink: theirs.demo.inbox.readLink,
  });
  const confirm = pageOf(await browser.open(consented.href));
  const done = pageOf(await browser.submit(confirm, '/link/notes/finish', {}));
  if (done.status !== 200) throw new Error(done.html);
  return browser;
}

const methods: readonly (readonly [arrivesAs: string, make: (caller: McpCaller) => Promise<unknown>])[] = [
  ['tools/call', (caller) => caller.tool('notes_echo')],
  ['prompts/get', (caller) => caller.modern('prompts/get', { name: 'notes_greet' })],
  ['resources/read', (caller) => caller.modern('resources/read', { uri: 'note://notes/one' })],
  [
    'completion/complete',
    (caller) =>
      caller.modern('completion/complete', {
        ref: { type: 'ref/prompt', name: 'notes_greet' },
        argument: { name: 'who', value: 'a' },
      }),
  ],
];

describe('a server with identity: linked', () => {
  let ada: McpCaller;
  let bob: McpCaller;
  /** Ada's. */
  let browser: HeadlessBrowser;
  beforeAll(async () => {
    ada = await callerOf('ada@example.com');
    bob = await callerOf('bob@example.com');
  });

  test('is one tool until the caller has linked, and then everything it lists to that caller (R44)', async () => {
    expect(await toolsOf(ada)).toEqual(['notes_link']);
    const invited = await ada.tool('notes_link');
    const [url = ''] = /http:\/\/\S+\/link\/notes\?ticket=[\w-]+/.exec(invited.said) ?? [];
    browser = await link('ada@example.com', url);
    expect(await toolsOf(ada)).toEqual(['notes_create_note', 'notes_echo']);
    expect(await ada.tool('notes_echo')).toMatchObject({ said: 'done', isError: false });
    const [record] = await running.calls(1, ({ tool }) => tool === 'notes_echo');
    expect(record).toMatchObject({ mode: 'linked', backend: 'notes', outcome: 'ok' });
  });

  test.each(methods)(
    'gets the user’s own token there with %s, and nothing else of the user (R38)',
    async (arrivesAs, make) => {
      const before = native.of(arrivesAs).length;
      await make(ada);
      const sent = native.of(arrivesAs).slice(before);
      expect(sent.length).toBe(1);
      const claims = decodeJwt(sent[0]?.headers.get('authorization')?.replace('Bearer ', '') ?? '');
      expect(claims).toMatchObject({ iss: theirs.issuer, aud: native.url, email: 'ada@notes.example' });
    },
  );

  test('shows nothing of one person’s to another, and does nothing for them', async () => {
    expect(await toolsOf(bob)).toEqual(['notes_link']);
    const before = native.requests.length;
    for (const [, make] of methods) await make(bob);
    expect(native.requests.slice(before).map(({ method }) => method)).toEqual([]);
  });

  test('is shown to an operator as its holder sees it, and one person’s lists to no other’s token', async () => {
    const toolsSeen = async ({ token }: McpCaller) => {
      const sight = await running.operate('POST /sight', { token });
      const tools = sight.ok && isJsonObject(sight.value.own) ? sight.value.own.tools : undefined;
      return Array.isArray(tools) ? tools.map((tool) => isJsonObject(tool) && tool.publicName) : [];
    };
    expect(await toolsSeen(ada)).toEqual(['notes_create_note', 'notes_echo']);
    expect(await toolsSeen(bob)).toEqual(['notes_link']);
  });

  test('never sees a token of the gateway’s own users, nor anything that names them (R38)', () => {
    expect(native.requests.length).toBeGreaterThan(8);
    for (const { headers, text } of native.requests) {
      const seen = JSON.stringify([...headers]) + text;
      expect(seen.toLowerCase()).not.toMatch(/x-cortex|ada@example|bob@example/);
      for (const { token } of [ada, bob]) expect(seen).not.toContain(token);
    }
  });

  test('is on the page of the one who linked it, with that one’s own calls', async () => {
    await bob.tool('whoami');
    const { html } = pageOf(await browser.open(`${gatewayOrigin}/link`));
    for (const text of ['Signed in as ada@example.com', 'Linked since', 'notes_echo', 'done'])
      expect(html).toContain(text);
    expect(html).not.toMatch(/bob|whoami/);
  });

  test('whose list everybody sees is read with the catalog’s own account, which only the operator can link', async () => {
    await using other = await runGateway({
      config: {
        auth: { issuers: [{ url: ours.issuer }], challenge_scopes: ['mcp:notes:read'] },
        servers: { board: { url: native.url, list: 'shared', scopes: { default: 'mcp:notes:read' } } },
      },
    });
    const start = (server: string) => other.operate('POST /catalog-link/start', { server });
    expect(await start('elsewhere')).toMatchObject({ ok: false, error: { reason: 'not_shared' } });
    const operator = browserAt(other);
    const started = await start('board');
    const url = started.ok ? String(started.value.url) : '';
    const begin = pageOf(await operator.open(url));
    expect(begin.html).toContain('No call of a user is made with it');
    const consented = await signUpHeadlessly({
      authorizationUrl: locationOf(await operator.submit(begin, '/link/board', {})),
      email: 'catalog@notes.example',
      readLink: theirs.demo.inbox.readLink,
    });
    const stranger = pageOf(await browserAt(other).open(consented.href));
    expect(stranger.status).toBe(403);
    const confirm = pageOf(await operator.open(consented.href));
    pageOf(await operator.submit(confirm, '/link/board/finish', {}));
    expect(await other.operate('POST /catalog-link/status', { server: 'board' })).toMatchObject({
      ok: true,
      value: { server: 'board', state: 'linked' },
    });
    expect(pageOf(await operator.open(url)).status).toBe(410);
    const askedAs = () =>
      native.of('tools/list').flatMap(({ headers }) => {
        const token = headers.get('authorization')?.replace('Bearer ', '');
        return token === undefined ? [] : [decodeJwt(token).email];
      });
    await expect.poll(askedAs, { timeout: 10_000 }).toContain('catalog@notes.example');
  });

  test('is not named to who is not signed in, not even by its scopes: the page asks for what the 401 does', async () => {
    const auth = { issuers: [{ url: ours.issuer }], challenge_scopes: ['mcp:notes:read'] };
    const secret = { url: native.url, scopes: { default: 'mcp:secret' } };
    await using other = await runGateway({ config: { auth, servers: { secret } } });
    const page = locationOf(await browserAt(other).open(`${gatewayOrigin}/sign-in`));
    expect(new URL(page).searchParams.get('scope')).toBe('mcp:notes:read');
  });

  test('is still linked after a restart of the gateway', async () => {
    const { folder } = running;
    await running.gateway.close();
    const again = await runGateway({ ...setup(), folder });
    const back = createCaller(ada.token, (request) => Promise.resolve(again.gateway.fetch(request)));
    expect(await toolsOf(back)).toEqual(['notes_create_note', 'notes_echo']);
    expect(await back.tool('notes_echo')).toMatchObject({ said: 'done', isError: false });
    await again.close();
  });

  test('stays linked while the vault’s keys turn, and is unlinked and revoked at once where the operator says so', async () => {
    await using again = await runGateway({ ...setup(), folder: running.folder });
    const back = createCaller(ada.token, (request) => Promise.resolve(again.gateway.fetch(request)));
    expect((await back.tool('notes_echo')).isError).toBe(false);
    const rotated = await again.operate('POST /vault/rotate', { forgetOld: true });
    expect(rotated).toMatchObject({ ok: true, value: { unreadable: 0, older: [] } });
    expect((await back.tool('notes_echo')).isError).toBe(false);
    const token = native.of('tools/call').at(-1)?.headers.get('authorization')?.replace('Bearer ', '') ?? '';

    const unlinked = await again.operate('POST /vault/unlink', { server: 'notes' });
    // Nobody named her: a token that may act, and not see people, is not told whose it was.
    expect(unlinked).toEqual({ ok: true, value: { server: 'notes', wasRevoked: true } });
    expect(await toolsOf(back)).toEqual(['notes_link']);
    expect((await back.tool('notes_echo')).isError).toBe(true);
    const body = new URLSearchParams({ token });
    const told = await fetch(`${theirs.issuer}/introspect`, { method: 'POST', headers: basic, body });
    expect(await told.json()).toEqual({ active: false });
  });
});
