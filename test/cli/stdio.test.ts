import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningDemo, startDemo } from '#cli/demo-setup.ts';
import { readSignIn } from '#cli/stdio/kept-sign-in.ts';
import { withProcessLock } from '#cli/stdio/process-lock.ts';
import { keychainStore } from '#cli/stdio/token-store.ts';
import type { Terminal } from '#cli/terminal.ts';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import { createInbox } from '#demo/mailer.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';
import { type StdioProcess, startStdio } from './support/stdio-process.ts';

const quiet: Terminal = {
  cwd: '/nowhere',
  environment: { HOME: '/nowhere' },
  out: () => {},
  say: () => {},
  isInteractive: false,
  columns: 80,
};
const inbox = createInbox();
/** Signed in at the issuer from the first time on: then there is only consent to give. */
const browser = createHeadlessBrowser();
let demo: RunningDemo;
let folder: TempFolder;
let kept = '';
beforeAll(async () => {
  demo = await startDemo(
    {
      folder: undefined,
      gatewayPort: freePort(),
      issuerPort: freePort(),
      calendarPort: undefined,
      adminPort: undefined,
      publicUrl: undefined,
      mailer: inbox,
      isQuiet: true,
    },
    quiet,
  );
});
afterAll(() => demo.stop());
beforeEach(async () => {
  folder = await createTempFolder();
  kept = join(folder.path, 'sign-in');
  return () => folder[Symbol.asyncDispose]();
});

const start = (...more: readonly string[]) =>
  startStdio([demo.url, '--no-browser', '--token-file', kept, ...more], { cwd: folder.path });

const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'lines', version: '1' } },
};

/** The person's part, at the address that stderr shows. */
async function signIn(client: StdioProcess, decision: 'allow' | 'deny' = 'allow'): Promise<void> {
  const address = await client.said(/^http:\/\/127\.0\.0\.1:\d+\/authorize\?\S+$/m);
  const back = await signUpHeadlessly({
    authorizationUrl: address,
    email: 'ada@example.com',
    readLink: inbox.readLink,
    decision,
    browser,
  });
  await (await fetch(back)).text();
}

function keptSignIn(): JsonObject {
  const parsed = parseJson(readFileSync(kept, 'utf8'));
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('nothing is kept');
  return parsed.value;
}

/** Somebody who signed in some time ago. */
async function signedIn(changes: JsonObject = {}): Promise<void> {
  await using client = start();
  client.send(initialize);
  await signIn(client);
  await client.answer(1);
  expect(await client.end()).toBe(0);
  writeFileSync(kept, JSON.stringify({ ...keptSignIn(), ...changes }));
}

describe('cortex stdio', { timeout: 60_000 }, () => {
  test('signs in at the first request, keeps that 0600, and says nothing but the protocol on stdout', async () => {
    await using client = start();
    client.send(initialize);
    await signIn(client);
    expect(await client.answer(1)).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
    client.send({ method: 'notifications/initialized' });
    client.send({ id: 2, method: 'tools/list' });
    const { result } = await client.answer(2);
    expect(JSON.stringify(result)).toContain('notes_list_notes');
    expect(await client.end()).toBe(0);
    for (const line of client.lines()) expect(parseJson(line).ok).toBe(true);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    const { access_token, refresh_token } = keptSignIn();
    for (const secret of [access_token, refresh_token]) {
      expect(typeof secret).toBe('string');
      expect(client.stderr() + client.lines().join('')).not.toContain(String(secret));
    }
  });

  test('asks for the token of this resource with PKCE, over a loopback redirect', async () => {
    await using client = start();
    client.send(initialize);
    const address = new URL(await client.said(/^http:\/\/127\.0\.0\.1:\d+\/authorize\?\S+$/m));
    const { searchParams: asked } = address;
    expect(asked.get('resource')).toBe(demo.url);
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  test('is signed in at the next start without a word', async () => {
    await signedIn();
    await using client = start();
    client.send(initialize);
    expect(await client.answer(1)).toHaveProperty('result');
    expect(client.stderr()).toBe('');
  });

  test.each([
    ['is over by the clock', { expires_at: 0 }],
    ['is refused by the gateway', { access_token: 'stale', expires_at: 9_999_999_999_999 }],
  ])('refreshes a token that %s, and keeps the new pair', async (_why, changes) => {
    await signedIn(changes);
    const before = keptSignIn().refresh_token;
    await using client = start();
    client.send(initialize);
    expect(await client.answer(1)).toHaveProperty('result');
    expect(client.stderr()).not.toContain('/authorize?');
    expect(keptSignIn().refresh_token).not.toBe(before);
    expect(keptSignIn().access_token).not.toBe('stale');
  });

  test('refreshes once where several start at once: a rotated token used twice would end them all', async () => {
    await signedIn({ expires_at: 0 });
    const clients = [start(), start(), start()];
    for (const client of clients) client.send(initialize);
    const answers = await Promise.all(clients.map((client) => client.answer(1)));
    for (const answer of answers) expect(answer).toHaveProperty('result');
    expect(clients.map((client) => client.stderr()).join('')).not.toContain('/authorize?');
    for (const client of clients) await client[Symbol.asyncDispose]();
    // The family is alive: one more refresh is granted.
    writeFileSync(kept, JSON.stringify({ ...keptSignIn(), expires_at: 0 }));
    await using later = start();
    later.send(initialize);
    expect(await later.answer(1)).toHaveProperty('result');
    expect(later.stderr()).not.toContain('/authorize?');
  });

  test('signs in again where the refresh token is dead', async () => {
    await signedIn({ expires_at: 0, refresh_token: 'dead' });
    await using client = start();
    client.send(initialize);
    await signIn(client);
    expect(await client.answer(1)).toHaveProperty('result');
    expect(client.stderr()).toContain('The sign-in is over');
  });

  test('answers in words where the person says no, and does not ask again at once', async () => {
    await using client = start();
    client.send(initialize);
    await signIn(client, 'deny');
    const { error } = await client.answer(1);
    expect(JSON.stringify(error)).toContain('said no');
    client.send({ ...initialize, id: 2 });
    expect(JSON.stringify((await client.answer(2)).error)).toContain('said no');
    expect(client.stderr().match(/\/authorize\?/g)).toHaveLength(1);
    expect(existsSync(kept)).toBe(false);
  });

  test('--login signs in and stops; --logout forgets', async () => {
    await using client = start('--login');
    await signIn(client);
    await client.said(/^Signed in at /m);
    expect(await client.end()).toBe(0);
    expect(client.lines()).toEqual([]);
    expect(existsSync(kept)).toBe(true);
    const forgotten = await run(`stdio ${demo.url} --logout --token-file ${kept}`);
    expect(forgotten.exitCode).toBe(0);
    expect(existsSync(kept)).toBe(false);
  });
});

describe('cortex stdio refuses', { timeout: 60_000 }, () => {
  test('a file of tokens that others can read: whoever wrote it could be somebody else', async () => {
    await signedIn();
    chmodSync(kept, 0o644);
    await using client = start();
    client.send(initialize);
    expect(JSON.stringify(await client.answer(1))).toContain('open to its group or to others');
  });

  test('plain http to another machine, where the token could be read on its way', async () => {
    const result = await run('stdio http://mcp.example.com/mcp', { stdin: [] });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('is not https');
  });

  test('what is no URL, and a variable that is not set', async () => {
    expect((await run('stdio mcp.example.com')).exitCode).toBe(2);
    const result = await run(`stdio ${demo.url} --token-env NO_SUCH_TOKEN`);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('NO_SUCH_TOKEN is not set');
  });

  test('to sign in for a gateway that calls itself something else: its token would be for another', async () => {
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request) =>
        new URL(request.url).pathname === '/mcp'
          ? new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
          : Response.json({ resource: demo.url, authorization_servers: [demo.issuer] }),
    });
    await using client = startStdio([`${other.url.origin}/mcp`, '--no-browser', '--token-file', kept], {
      cwd: folder.path,
    });
    client.send(initialize);
    expect(JSON.stringify(await client.answer(1))).toContain('the gateway calls itself');
    expect(client.stderr()).not.toContain('/authorize?');
    await other.stop(true);
  });

  /** Somebody else's server; it notes what it is shown. */
  function eavesdropper(
    answer: (request: Request, origin: string) => Response | undefined = () => undefined,
  ) {
    const shown: string[] = [];
    const server: Bun.Server<undefined> = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        shown.push(request.headers.get('authorization') ?? 'nothing');
        return answer(request, server.url.origin) ?? new Response(null, { status: 401 });
      },
    });
    return { shown, url: `${server.url.origin}/mcp`, close: () => server.stop(true) };
  }

  test('attack: the file with the sign-in at one gateway, named for another, shows that one no token', async () => {
    await signedIn();
    const before = readFileSync(kept, 'utf8');
    const other = eavesdropper();
    await using client = startStdio([other.url, '--no-browser', '--token-file', kept], { cwd: folder.path });
    client.send(initialize);
    expect(JSON.stringify(await client.answer(1))).toContain(`holds the sign-in at ${demo.url}`);
    expect(other.shown.filter((header) => header !== 'nothing')).toEqual([]);
    expect(readFileSync(kept, 'utf8')).toBe(before);
    await other.close();
  });

  test('attack: a configuration that merely lies in the folder sends a token of the environment nowhere', async () => {
    const other = eavesdropper();
    writeFileSync(
      join(folder.path, 'cortex.yaml'),
      JSON.stringify({
        gateway: { url: other.url },
        auth: { issuers: [{ url: demo.issuer }] },
        plans: { everyone: ['mcp:notes:read'] },
      }),
    );
    const result = await run('stdio --token-env TOKEN', {
      cwd: folder.path,
      environment: { TOKEN: 'a-token-of-ada' },
      stdin: [],
    });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('merely lies in this folder');
    expect(other.shown).toEqual([]);
    await other.close();
  });

  test('attack: to let the words of an issuer drive the terminal', async () => {
    const other = eavesdropper((request, origin) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/register')
        return Response.json({ error: '\x1b]0;owned\x07\x9b31m' }, { status: 400 });
      if (pathname.startsWith('/.well-known/oauth-protected-resource'))
        return Response.json({ resource: `${origin}/mcp`, authorization_servers: [origin] });
      if (pathname.startsWith('/.well-known/'))
        return Response.json({
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          registration_endpoint: `${origin}/register`,
        });
      return undefined;
    });
    await using client = startStdio([other.url, '--no-browser', '--token-file', kept], { cwd: folder.path });
    client.send(initialize);
    await client.answer(1);
    await client.said(/refused to register/);
    expect(client.stderr()).not.toMatch(/(?!\n)\p{Cc}/u);
    const login = await run(`stdio ${other.url} --login --no-browser --token-file ${kept}`);
    expect(login.stderr).toContain('refused to register');
    expect(login.stderr).not.toMatch(/(?!\n)\p{Cc}/u);
    await other.close();
  });

  test('to sign in at an issuer over plain http elsewhere: a password could be read on its way', async () => {
    const origin = () => other.url.origin;
    const other: Bun.Server<undefined> = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request) =>
        new URL(request.url).pathname === '/mcp'
          ? new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
          : Response.json({
              resource: `${origin()}/mcp`,
              authorization_servers: ['http://auth.example.com'],
            }),
    });
    await using client = startStdio([`${origin()}/mcp`, '--no-browser', '--token-file', kept], {
      cwd: folder.path,
    });
    client.send(initialize);
    expect(JSON.stringify(await client.answer(1))).toContain('its issuer has to be https');
    await other.stop(true);
  });
});

describe('where a sign-in is kept', () => {
  test('the keychain has it, and forgets it', async () => {
    let entry: string | undefined;
    const store = keychainStore(
      {
        get: async () => entry,
        set: async (text) => {
          entry = text;
        },
        remove: async () => {
          entry = undefined;
        },
      },
      () => expect.unreachable(),
    );
    await store.set('kept');
    expect(entry).toBe('kept');
    expect(await store.get()).toBe('kept');
    await store.remove();
    expect(await store.get()).toBeUndefined();
  });

  test('memory has it where the system keeps no secrets, and that is said once', async () => {
    const said: string[] = [];
    const locked = () => Promise.reject(new Error('locked'));
    const store = keychainStore({ get: locked, set: locked, remove: locked }, (why) => said.push(why));
    expect(await store.get()).toBeUndefined();
    await store.set('held');
    expect(await store.get()).toBe('held');
    expect(store.place).toContain('memory');
    expect(said).toEqual(['locked']);
  });

  test('what is kept in another form is no sign-in', () => {
    expect(readSignIn(undefined)).toBeUndefined();
    expect(readSignIn('[]')).toBeUndefined();
    expect(readSignIn('{"v":2,"issuer":"a","client_id":"b","redirect_uri":"c"}')).toBeUndefined();
  });
});

describe('the lock between processes', () => {
  test('lets one do its work after the other, and waits for none that is gone', async () => {
    const path = join(folder.path, 'deep', 'a.lock');
    const signal = AbortSignal.timeout(30_000);
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await Bun.sleep(20);
      order.push(`${name} ends`);
    };
    await Promise.all([withProcessLock(path, signal, work('a')), withProcessLock(path, signal, work('b'))]);
    expect(order.map((entry) => entry.split(' ')[1])).toEqual(['begins', 'ends', 'begins', 'ends']);
    expect(existsSync(path)).toBe(false);
    const gone = Bun.spawn(['true']);
    await gone.exited;
    writeFileSync(path, String(gone.pid));
    await withProcessLock(path, signal, work('c'));
    expect(order.at(-1)).toBe('c ends');
  });

  test('is done without where it cannot be made', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    const path = join(folder.path, 'file', 'a.lock');
    expect(await withProcessLock(path, AbortSignal.timeout(1_000), async () => 'done')).toBe('done');
  });
});
