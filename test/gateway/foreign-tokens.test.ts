import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listener, listen } from '#server/listener.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import { type GatewaySetup, type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import {
  type CertifiedIssuer,
  resourceServer,
  retried,
  startCertifiedIssuer,
  type TokenFormat,
} from './support/certified-issuer.ts';

const modes = ['propagate', 'assert', 'exchange'] as const;
const port = freePort();
const gatewayUrl = `http://127.0.0.1:${port}/mcp`;

let folder: TempFolder;
let issuer: CertifiedIssuer;
let exchanger: TestIssuer;
let running: RunningGateway;
let listener: Listener;

beforeAll(async () => {
  folder = await createTempFolder();
  issuer = await startCertifiedIssuer(gatewayUrl, modes.map((id) => `mcp:${id}`).join(' '));
  exchanger = await createIssuer({ audience: gatewayUrl });
  await start();
});
afterAll(async () => {
  await stop();
  await exchanger.close();
  await issuer[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function start(): Promise<void> {
  running = await runGateway({ ...setup(), folder, issuer: exchanger });
  listener = listen(running.gateway, { host: '127.0.0.1', port }, 4 * 1024 * 1024);
}

async function stop(): Promise<void> {
  await listener.close();
  await running.close();
}

function backends(): NonNullable<GatewaySetup['backends']> {
  return Object.fromEntries(
    modes.map((id) => [
      id,
      {
        tools: [{ name: 'run', scope: `mcp:${id}`, description: 'Runs.' }],
        config: { identity: id, token_audience: `urn:${id}` },
      },
    ]),
  );
}

function setup(secret: string = resourceServer.client_secret): GatewaySetup {
  return {
    backends: backends(),
    config: {
      gateway: { url: gatewayUrl, listen: '127.0.0.1:0' },
      auth: {
        issuers: [
          {
            url: issuer.url,
            introspection: { url: issuer.introspectionUrl, ...resourceServer, client_secret: secret },
            exchange: { client_id: 'gateway', client_secret: 'secret' },
          },
        ],
        challenge_scopes: ['mcp:assert'],
      },
    },
  };
}

async function proofs(): Promise<oauth.DPoPHandle> {
  return oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
}

/** Over the socket, with proofs that oauth4webapi makes. */
function boundCaller(token: string, handle: oauth.DPoPHandle): McpCaller {
  return createCaller(token, async (request) => {
    const headers = new Headers(request.headers);
    headers.delete('authorization');
    const body = request.method === 'POST' ? await request.text() : undefined;
    return retried(() =>
      oauth.protectedResourceRequest(token, request.method, new URL(gatewayUrl), headers, body, {
        DPoP: handle,
        [oauth.allowInsecureRequests]: true,
      }),
    );
  });
}

/** Over the socket, as a bearer token. */
function bearerCaller(token: string): McpCaller {
  return createCaller(token, async (request) => {
    const body = request.method === 'POST' ? await request.text() : undefined;
    return fetch(gatewayUrl, { method: request.method, headers: request.headers, body });
  });
}

/** What `identity: propagate` and `exchange` say of it; nothing of the token reaches any application. */
async function expectKept(who: McpCaller, token: string, said: readonly [string, string]): Promise<void> {
  const asserted = await who.tool('assert_run');
  expect(asserted).toMatchObject({ status: 200, isError: false });
  for (const [index, id] of (['propagate', 'exchange'] as const).entries()) {
    const refused = await who.tool(`${id}_run`);
    expect(refused).toMatchObject({ isError: true, said: expect.stringContaining(said[index] ?? '') });
    expect(running.backend(id).callsOf('run')).toEqual([]);
  }
  for (const id of modes) {
    for (const call of running.backend(id).calls) {
      expect(JSON.stringify([...call.headers]) + call.text).not.toContain(token);
    }
  }
}

function assertedToken(): Readonly<Record<string, unknown>> {
  const sent = running.backend('assert').callsOf('run').at(-1)?.headers.get('authorization') ?? '';
  return decodeJwt(sent.replace('Bearer ', ''));
}

function reasons(): readonly unknown[] {
  return running.logged.filter(({ event }) => event === 'auth.refused').map(({ reason }) => reason);
}

/** One request as it goes over the wire, so that it can be sent twice. */
async function captured(token: string, handle: oauth.DPoPHandle): Promise<RequestInit> {
  let sent: RequestInit = {};
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json' });
  await retried(() =>
    oauth.protectedResourceRequest(token, 'POST', new URL(gatewayUrl), headers, body, {
      DPoP: handle,
      [oauth.allowInsecureRequests]: true,
      async [oauth.customFetch](_url, init) {
        sent = { method: 'POST', headers: new Headers(init.headers), body };
        return fetch(gatewayUrl, sent);
      },
    }),
  );
  return sent;
}

const algs = 'algs="ES256 EdDSA Ed25519 PS256 RS256"';
const found = `resource_metadata="${new URL(gatewayUrl).origin}/.well-known/oauth-protected-resource/mcp", scope="mcp:assert"`;

describe.each(['jwt', 'opaque'] as const)(
  'a token (%s) that oidc-provider bound to a key',
  (format: TokenFormat) => {
    test('is used with the proofs of an independent client, and never passed on', async () => {
      const handle = await proofs();
      const { accessToken } = await issuer.signIn(format, handle);
      const ada = boundCaller(accessToken, handle);
      const lists = await ada.modern('tools/list');
      expect(lists.status).toBe(200);
      expect(lists.headers.get('dpop-nonce')).toMatch(/^[\w-]{40,}$/);
      await expectKept(ada, accessToken, [
        'A token bound to a key cannot be passed on.',
        'A token bound to a key cannot be exchanged.',
      ]);
      expect(assertedToken()).toMatchObject({ sub_id: { iss: issuer.url, sub: 'ada' }, scope: 'mcp:assert' });
    });

    test('holds a session of the older protocol', async () => {
      const handle = await proofs();
      const { accessToken } = await issuer.signIn(format, handle);
      const client = await boundCaller(accessToken, handle).initialize();
      expect((await client.tool('assert_run')).isError).toBe(false);
      expect((await client.end()).status).toBe(204);
    });

    test('is worth nothing as a bearer token', async () => {
      const { accessToken } = await issuer.signIn(format, await proofs());
      const answer = await fetch(gatewayUrl, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}` },
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(
        `Bearer error="invalid_token", error_description="The access token is not valid for this resource. Get a new one.", ${found}, DPoP ${algs}`,
      );
      expect(reasons().at(-1)).toBe('sender_constrained');
    });

    test('is worth nothing with the proofs of another key', async () => {
      const { accessToken } = await issuer.signIn(format, await proofs());
      const thief = boundCaller(accessToken, await proofs());
      await expect(thief.modern('ping')).rejects.toThrow();
      expect(reasons().at(-1)).toBe('proof_key_refused');
    });
  },
);

describe('a proof', () => {
  test('is asked for a nonce first, in so many words', async () => {
    const handle = await proofs();
    const { accessToken } = await issuer.signIn('jwt', handle);
    const challenges: (string | null)[] = [];
    const send = () =>
      oauth.protectedResourceRequest(accessToken, 'POST', new URL(gatewayUrl), undefined, '{}', {
        DPoP: handle,
        [oauth.allowInsecureRequests]: true,
        async [oauth.customFetch](_url, init) {
          const answer = await fetch(gatewayUrl, {
            method: 'POST',
            headers: new Headers(init.headers),
            body: '{}',
          });
          challenges.push(answer.headers.get('www-authenticate'));
          return answer;
        },
      });
    await retried(send);
    await send();
    expect(challenges).toEqual([
      `DPoP error="use_dpop_nonce", error_description="The DPoP proof must carry the nonce in the DPoP-Nonce header of this answer.", ${found}, ${algs}`,
      null,
      null,
    ]);
  });

  test('is accepted once: not again, not after a reload, not after a restart', async () => {
    const handle = await proofs();
    const { accessToken } = await issuer.signIn('jwt', handle);
    const request = await captured(accessToken, handle);
    const again = async () => {
      const answer = await fetch(gatewayUrl, request);
      return [answer.status, answer.headers.get('www-authenticate')] as const;
    };
    const replayed = [
      401,
      `DPoP error="invalid_dpop_proof", error_description="The DPoP proof is not valid for this request.", ${found}, ${algs}`,
    ] as const;
    expect(await again()).toEqual(replayed);
    expect(reasons().at(-1)).toBe('proof_replayed');

    const { auth } = setup().config ?? {};
    await running.reload(backends(), {
      ...setup().config,
      auth: { ...auth, baseline_scopes: ['mcp:assert'] },
    });
    expect(await again()).toEqual(replayed);

    await stop();
    await start();
    const [status, challenge] = await again();
    expect(status).toBe(401);
    expect(challenge).toContain('error="use_dpop_nonce"');
    expect(reasons()).toEqual(['proof_nonce_stale']);
    // Nobody else is in the way of the one who holds the key.
    expect((await boundCaller(accessToken, handle).modern('tools/list')).status).toBe(200);
  });
});

describe('an opaque token of oidc-provider', () => {
  test('is its user’s, and never passed on', async () => {
    const { accessToken } = await issuer.signIn('opaque');
    expect(accessToken).not.toContain('.');
    await expectKept(bearerCaller(accessToken), accessToken, [
      'An opaque token cannot be passed on.',
      'The authorization server gives this caller no token for this backend.',
    ]);
    expect(assertedToken()).toMatchObject({
      sub_id: { iss: issuer.url, sub: 'ada' },
      client_id: 'opaque',
      scope: 'mcp:assert',
    });
  });

  test('may be a machine’s', async () => {
    const machine = bearerCaller(await issuer.machineToken('opaque'));
    expect(await machine.tool('assert_run')).toMatchObject({ isError: false });
    expect(assertedToken()).toMatchObject({ sub_id: { iss: issuer.url, sub: 'opaque' } });
  });

  test('is asked about once in ten seconds, however many calls there are', async () => {
    const caller = bearerCaller((await issuer.signIn('opaque')).accessToken);
    issuer.requests.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => caller.modern('tools/list')));
    await caller.modern('tools/list');
    expect(issuer.requests).toEqual(['POST /token/introspection']);
    running.clock.advance(10_000);
    await caller.modern('tools/list');
    expect(issuer.requests.length).toBe(2);
  });

  test('goes on for ten seconds at most after it was revoked', async () => {
    const { accessToken } = await issuer.signIn('opaque');
    const caller = bearerCaller(accessToken);
    expect((await caller.modern('tools/list')).status).toBe(200);
    await issuer.revoke('opaque', accessToken);
    running.clock.advance(10_000);
    expect((await caller.modern('tools/list')).status).toBe(401);
    expect(reasons().at(-1)).toBe('token_inactive');
  });

  test('takes what stays open with it along when it is revoked', async () => {
    const { accessToken } = await issuer.signIn('opaque');
    const caller = bearerCaller(accessToken);
    const stream = await caller.listen({ toolsListChanged: true });
    await stream.next();
    running.backend('assert').answer('run', () => new Promise(() => {}));
    const call = caller.tool('assert_run');
    await Bun.sleep(200);
    expect(stream.hasEnded).toBe(false);

    await issuer.revoke('opaque', accessToken);
    running.clock.advance(10_000);
    const elapsedMs = stopwatch();
    const [answer] = await Promise.all([call, stream.rest()]);
    running.backend('assert').answer('run', () => Response.json({ ok: true }));
    // It began to be answered on a stream when time was put forward.
    expect(answer.error.message).toBe('The access token was revoked. Get a new one.');
    expect(elapsedMs()).toBeLessThan(5_000);
  });

  test('that is a refresh token opens nothing, though its issuer calls it active', async () => {
    const { refreshToken = '' } = await issuer.signIn('opaque');
    expect((await bearerCaller(refreshToken).modern('ping')).status).toBe(401);
    expect(reasons().at(-1)).toBe('type_refused');
  });

  test('is asked about with the secret that a reload brings, though nothing else changed', async () => {
    const caller = bearerCaller((await issuer.signIn('opaque')).accessToken);
    expect((await caller.modern('tools/list')).status).toBe(200);
    await running.reload(backends(), setup('another secret').config);
    expect((await caller.modern('tools/list')).status).toBe(503);
    await running.reload(backends(), setup().config);
    expect((await caller.modern('tools/list')).status).toBe(200);
  });

  test('is answered 503 within 2 s while its issuer is silent, and let in when it speaks again', async () => {
    const caller = bearerCaller((await issuer.signIn('opaque')).accessToken);
    issuer.state.delayMs = Number.POSITIVE_INFINITY;
    const elapsedMs = stopwatch();
    const answer = await caller.modern('tools/list');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(elapsedMs()).toBeLessThan(5_000);
    expect(reasons().at(-1)).toBe('introspection_unavailable');
    issuer.state.delayMs = 0;
    expect((await caller.modern('tools/list')).status).toBe(200);
  });
});
