import { createServer as createTrap } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { LinkedServer } from '#vault/linking/linked-server.ts';
import { testCertificate, testKey } from '../../outbound/test-certificate.ts';
import { stopwatch } from '../../support/stopwatch.ts';
import {
  ada,
  begin,
  closing,
  finish,
  granted,
  type LinkingKit,
  linkedServer,
  refusalToBegin,
  refusedCallback,
  startLinking,
} from './linking-kit.ts';
import { type Answer, answerTo, challenge, metadataOf, redirect, registered } from './scripted-provider.ts';

/** Stands for the public internet: everything else keeps its real rules. */
const publicAddress = '127.0.0.9';
const name = 'doc.test';
const wellKnown = '/.well-known/oauth-protected-resource/mcp';

interface PublicProvider {
  readonly origin: string;
  readonly port: number;
  readonly pages: Map<string, Answer>;
  readonly asked: string[];
}

/** A provider on the public internet, over TLS, under the name `doc.test`; `host` is where it listens. */
function startPublic(
  pages: (origin: string) => Readonly<Record<string, Answer>> = () => ({}),
  host = publicAddress,
): PublicProvider {
  const table = new Map<string, Answer>();
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: host,
    tls: { cert: testCertificate, key: testKey },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const answer = table.get(pathname);
      const body = await request.text();
      // Every request opens a connection of its own, and so looks the name up again.
      const response = await respond(answer, request, body);
      response.headers.set('connection', 'close');
      return response;
    },
  });
  closing.push(() => server.stop(true));
  const port = server.port ?? 0;
  const origin = `https://${name}:${port}`;
  const usual = {
    '/mcp': challenge(`Bearer resource_metadata="${origin}${wellKnown}"`),
    [wellKnown]: { resource: `${origin}/mcp`, authorization_servers: [origin] },
    '/.well-known/oauth-authorization-server': metadataOf(origin),
    '/register': registered(),
    '/token': { access_token: 'access-1', token_type: 'Bearer', refresh_token: 'refresh-1' },
    '/revoke': '',
  };
  for (const [path, answer] of Object.entries({ ...usual, ...pages(origin) })) table.set(path, answer);
  return { origin, port, pages: table, asked };
}

async function respond(answer: Answer | undefined, request: Request, body: string): Promise<Response> {
  if (answer === undefined) return new Response(null, { status: 404 });
  if (answer instanceof Response)
    return new Response(answer.body === null ? null : await answer.clone().text(), answer);
  if (typeof answer === 'function') return answer(request, body);
  return typeof answer === 'string' ? new Response(answer) : Response.json(answer);
}

/** Counts who connects to it on this machine. */
async function startTrap(): Promise<{ readonly port: number; readonly connections: () => number }> {
  let count = 0;
  const trap = createTrap((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  closing.push(() => trap.close());
  const address = trap.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => count,
  };
}

type Names = Readonly<Record<string, readonly (readonly string[])[]>>;

/** `names`: what each resolves to, one list after the other, the last for ever; all else is the provider’s address. */
async function start(
  provider: PublicProvider,
  {
    names = {},
    timeoutMs = 5_000,
    ...changes
  }: Partial<LinkedServer> & { names?: Names; timeoutMs?: number } = {},
): Promise<LinkingKit> {
  const looks = new Map<string, number>();
  const resolve = async (host: string): Promise<readonly string[]> => {
    const lists = names[host] ?? [[publicAddress]];
    const look = looks.get(host) ?? 0;
    looks.set(host, look + 1);
    return lists[Math.min(look, lists.length - 1)] ?? [];
  };
  const egress = { ca: testCertificate, resolve, isPublic: (address: string) => address === publicAddress };
  const server = linkedServer(`${provider.origin}/mcp`, changes);
  return startLinking({ notes: server }, { egress, timeoutMs, gatewayUrl: 'https://gateway.test/mcp' });
}

describe('a provider on the public internet', () => {
  test('is linked over TLS, at the addresses that were looked at', async () => {
    const provider = startPublic();
    const kit = await start(provider);
    const grant = await finish(kit, answerTo(await begin(kit)));
    expect(grant.issuer).toBe(provider.origin);
    expect(granted(await kit.engine.unlink(ada, 'notes'))).toEqual({ wasRevoked: true });
  });

  test('may redirect its metadata within its own origin', async () => {
    const provider = startPublic((origin) => ({
      [wellKnown]: redirect('/moved.json'),
      '/moved.json': redirect(`${origin}/again.json`),
      '/again.json': { resource: `${origin}/mcp`, authorization_servers: [origin] },
    }));
    await begin(await start(provider));
    expect(provider.asked.slice(1, 4)).toEqual([wellKnown, '/moved.json', '/again.json']);
  });
});

describe('discovered addresses lead nowhere else (R47)', () => {
  const forbidden: readonly (readonly [what: string, address: (port: number) => string])[] = [
    ['this machine', (port) => `https://127.0.0.1:${port}/x`],
    ['this machine, over http', (port) => `http://127.0.0.1:${port}/x`],
    ['this machine, by name', (port) => `https://localhost:${port}/x`],
    ['this machine, as one number', (port) => `https://2130706433:${port}/x`],
    ['this machine, in IPv6', (port) => `https://[::ffff:127.0.0.1]:${port}/x`],
    ['the metadata service of a cloud', () => 'https://169.254.169.254/latest/meta-data/'],
    ['the metadata service of a cloud, over http', () => 'http://169.254.169.254/latest/meta-data/'],
    ['a private network', () => 'https://10.0.0.7/x'],
    ['a name of a private network', (port) => `https://private.test:${port}/x`],
    ['a name with one private address', (port) => `https://mixed.test:${port}/x`],
    ['a file', () => 'file:///etc/passwd'],
    ['a user name', (port) => `https://user@doc.test:${port}/x`],
  ];
  const names: Names = {
    localhost: [['127.0.0.1']],
    'private.test': [['127.0.0.1']],
    'mixed.test': [[publicAddress, '10.0.0.7']],
  };

  test.each(forbidden)('not from a 401 to %s', async (_what, address) => {
    const trap = await startTrap();
    const provider = startPublic(() => ({
      '/mcp': challenge(`Bearer resource_metadata="${address(trap.port)}"`),
    }));
    expect(await refusalToBegin(await start(provider, { names }))).toBe('address_refused');
    expect(trap.connections()).toBe(0);
    expect(provider.asked).toEqual(['/mcp']);
  });

  test.each(forbidden)('not by a redirect of the metadata to %s', async (_what, address) => {
    const trap = await startTrap();
    const provider = startPublic(() => ({ [wellKnown]: redirect(address(trap.port)) }));
    expect(await refusalToBegin(await start(provider, { names }))).toBe('address_refused');
    expect(trap.connections()).toBe(0);
  });

  test.each(forbidden)('not from the metadata to an authorization server at %s', async (_what, address) => {
    const trap = await startTrap();
    const provider = startPublic((origin) => ({
      [wellKnown]: { resource: `${origin}/mcp`, authorization_servers: [address(trap.port)] },
    }));
    expect(await refusalToBegin(await start(provider, { names }))).toBe('address_refused');
    expect(trap.connections()).toBe(0);
  });

  test.each(forbidden)('not to register at %s', async (_what, address) => {
    const trap = await startTrap();
    const provider = startPublic((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        registration_endpoint: address(trap.port),
      }),
    }));
    expect(await refusalToBegin(await start(provider, { names }))).toBe('address_refused');
    expect(trap.connections()).toBe(0);
  });

  test.each(forbidden)('not with a code or a token to %s', async (_what, address) => {
    const trap = await startTrap();
    const elsewhere = address(trap.port);
    const provider = startPublic((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, { token_endpoint: elsewhere }),
    }));
    const kit = await start(provider, { names });
    expect(await refusedCallback(kit, answerTo(await begin(kit)))).toMatch(/address_refused|token_invalid/);
    expect(trap.connections()).toBe(0);
  });

  test('an account is unlinked though revoking it would lead to a private address', async () => {
    const trap = await startTrap();
    const provider = startPublic((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        revocation_endpoint: `https://127.0.0.1:${trap.port}/`,
      }),
    }));
    const kit = await start(provider);
    await finish(kit, answerTo(await begin(kit)));
    expect(granted(await kit.engine.unlink(ada, 'notes'))).toEqual({ wasRevoked: false });
    expect(await kit.grants.list(ada)).toEqual([]);
    expect(trap.connections()).toBe(0);
  });

  test('a redirect to another origin is not followed, though it is public, and neither is an endless one', async () => {
    const other = startPublic();
    const provider = startPublic(() => ({ [wellKnown]: redirect(`${other.origin}${wellKnown}`) }));
    expect(await refusalToBegin(await start(provider))).toBe('address_refused');
    expect(other.asked).toEqual([]);
    provider.pages.set(wellKnown, redirect(wellKnown));
    expect(await refusalToBegin(await start(provider))).toBe('address_refused');
  });

  test('a token is not sent after a redirect (R39)', async () => {
    const other = startPublic();
    const provider = startPublic(() => ({
      '/token': new Response(null, { status: 307, headers: { location: `${other.origin}/token` } }),
    }));
    const kit = await start(provider);
    expect(await refusedCallback(kit, answerTo(await begin(kit)))).toBe('token_invalid');
    expect(other.asked).toEqual([]);
  });

  test('a name that resolves differently the second time is refused then, and nobody is connected to', async () => {
    const trap = await startTrap();
    for (const second of ['127.0.0.1', '169.254.169.254']) {
      const provider = startPublic();
      const kit = await start(provider, { names: { [name]: [[publicAddress], [second]] } });
      expect(await refusalToBegin(kit)).toBe('address_refused');
      expect(provider.asked).toEqual(['/mcp']);
    }
    expect(trap.connections()).toBe(0);
  });

  test('the server’s own name leads to no private address either', async () => {
    const provider = startPublic(undefined, '127.0.0.1');
    const kit = await start(provider, { names: { [name]: [['127.0.0.1']] } });
    expect(await refusalToBegin(kit)).toBe('address_refused');
    expect(provider.asked).toEqual([]);
  });
});

describe('what the operator allows', () => {
  test.each([['doc.test'], ['DOC.test'], ['127.0.0.1'], ['127.0.0.0/29']])(
    'is reached: %s',
    async (entry) => {
      const provider = startPublic(undefined, '127.0.0.1');
      const kit = await start(provider, { names: { [name]: [['127.0.0.1']] }, allowPrivate: [entry] });
      const grant = await finish(kit, answerTo(await begin(kit)));
      expect(grant.issuer).toBe(provider.origin);
    },
  );

  test.each([['10.0.0.0/8'], ['other.test'], ['127.0.0.2'], ['::1'], ['fd00::/8'], ['127.0.0.8/29']])(
    'and nothing besides: %s',
    async (entry) => {
      const provider = startPublic(undefined, '127.0.0.1');
      const kit = await start(provider, { names: { [name]: [['127.0.0.1']] }, allowPrivate: [entry] });
      expect(await refusalToBegin(kit)).toBe('address_refused');
    },
  );

  test('is read anew when it changes', async () => {
    const provider = startPublic(undefined, '127.0.0.1');
    const kit = await start(provider, { names: { [name]: [['127.0.0.1']] } });
    expect(await refusalToBegin(kit)).toBe('address_refused');
    kit.servers.set('notes', linkedServer(`${provider.origin}/mcp`, { allowPrivate: [name] }));
    await begin(kit);
    kit.servers.set('notes', linkedServer(`${provider.origin}/mcp`));
    expect(await refusalToBegin(kit)).toBe('address_refused');
  });
});

describe('what a provider costs', () => {
  test('is a document of 256 KB at most: one of 300 KB is refused', async () => {
    for (const path of [wellKnown, '/.well-known/oauth-authorization-server']) {
      const provider = startPublic(() => ({ [path]: { padding: 'x'.repeat(300_000) } }));
      expect(await refusalToBegin(await start(provider))).toBe('metadata_invalid');
    }
  });

  test('and ten seconds a request: one that hangs is given up', async () => {
    for (const path of ['/mcp', wellKnown, '/.well-known/oauth-authorization-server', '/register']) {
      const provider = startPublic(() => ({ [path]: () => new Promise<Response>(() => {}) }));
      const elapsedMs = stopwatch();
      expect(await refusalToBegin(await start(provider, { timeoutMs: 300 }))).toBe('unreachable');
      expect(elapsedMs()).toBeLessThan(5_000);
    }
  });
});
