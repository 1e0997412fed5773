import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLimiter } from '#cluster/limiter.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { silentLog } from '#kernel/log.ts';
import { ok } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { createAdminApp } from '#server/admin/admin-app.ts';
import type { Operation } from '#server/operation.ts';
import { type RunningGateway, runGateway } from '../../support/running-gateway.ts';

const tokens = {
  dashboard: { token: 'dashboard-token-0123456789-0123456789', role: 'read' },
  pager: { token: 'pager-token-0123456789-0123456789-012', role: 'operate' },
  privacy: { token: 'privacy-token-0123456789-0123456789-0', role: 'reveal' },
};
const admin = { listen: '127.0.0.1:0', hosts: ['cortex-admin.example'], tokens };
const wrong = 'wrong-token-0123456789-0123456789-0123';

let running: RunningGateway;
let origin = '';
beforeAll(async () => {
  running = await runGateway({ backends: { notes: {} }, config: { admin } });
  origin = running.listenAdmin();
});
afterAll(() => running.close());

interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}
/** Each test comes from a minute of its own, so that none is limited by another's failures. */
async function ask(path: string, { method = 'GET', token, headers = {}, body }: Ask = {}) {
  const shown: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { ...shown, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  if (!isJsonObject(parsed)) throw new Error(text);
  return { status: response.status, body: parsed, headers: response.headers };
}
const later = () => running.clock.advance(60_000);
const acts = (action: string) => running.acts().filter((record) => record.action === action);

describe('a token of the operators’ listener', () => {
  test.each([
    ['dashboard', [200, 403, 403]],
    ['pager', [200, 200, 403]],
    ['privacy', [200, 200, 200]],
  ] as const)('of %s covers what its role says: look, act, see people', async (name, statuses) => {
    const { token } = tokens[name];
    const asked = [
      await ask('/admin/status', { token }),
      await ask('/admin/poll', { method: 'POST', token }),
      await ask('/admin/vault/list', { method: 'POST', token }),
    ];
    expect(asked.map(({ status }) => status)).toEqual(statuses);
    for (const { status, body } of asked) {
      if (status === 403) expect(body).toMatchObject({ reason: 'role_refused' });
    }
  });

  test('that may only look does not act, and the attempt is recorded under its name', async () => {
    const polled = running.backend('notes').calls.length;
    const refused = await ask('/admin/poll', { method: 'POST', token: tokens.dashboard.token });
    expect(refused.body).toEqual({
      reason: 'role_refused',
      message: 'the role of this token does not cover it',
    });
    expect(running.backend('notes').calls).toHaveLength(polled);
    expect(acts('admin.refused').at(-1)).toMatchObject({
      actor: 'dashboard',
      operation: 'POST /poll',
      role: 'read',
    });
  });

  test('acts under its own name in the audit, and by another door as another', async () => {
    await ask('/admin/poll', { method: 'POST', token: tokens.pager.token });
    await running.operate('POST /poll');
    const actors = acts('catalog.poll')
      .slice(-2)
      .map(({ actor }) => actor);
    expect(actors).toEqual(['pager', 'test']);
    expect(JSON.stringify(running.acts())).not.toContain(tokens.pager.token);
  });

  test.each([
    ['none', {}],
    ['a wrong one', { authorization: `Bearer ${wrong}` }],
    ['the beginning of a right one', { authorization: `Bearer ${tokens.pager.token.slice(0, -1)}` }],
    ['a right one and more', { authorization: `Bearer ${tokens.pager.token}x` }],
    ['a right one in capitals', { authorization: `Bearer ${tokens.pager.token.toUpperCase()}` }],
    ['another scheme', { authorization: `Basic ${btoa(`admin:${tokens.pager.token}`)}` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a name', { authorization: 'Bearer pager' }],
  ])('is needed: %s is answered with 401 and nothing else', async (_name, headers) => {
    later();
    const answer = await ask('/admin/status', { headers });
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({ reason: 'unauthorized', message: 'no token that counts was shown' });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="cortex-admin"');
  });

  test('is needed before anything is told of what there is', async () => {
    later();
    for (const path of ['/', '/admin', '/admin/none', '/readyz', '/healthz', '/mcp', '/admin/session']) {
      expect((await ask(path)).status).toBe(401);
    }
    expect((await ask('/admin/none', { token: tokens.dashboard.token })).body).toMatchObject({
      reason: 'not_found',
    });
    expect((await ask('/status', { token: tokens.dashboard.token })).status).toBe(404);
  });

  test.each([
    `/admin/status?token=${tokens.pager.token}`,
    `/admin/status?access_token=${tokens.pager.token}`,
  ])('in the URL is refused, with or without one in the header, and is not logged: %#', async (path) => {
    later();
    expect(await ask(path)).toMatchObject({ status: 400, body: { reason: 'token_in_query' } });
    expect(await ask(path, { token: tokens.pager.token })).toMatchObject({ status: 400 });
    expect(JSON.stringify(running.logged)).not.toContain(tokens.pager.token);
  });

  test('of a user of the gateway opens nothing here, and one of an operator nothing at the gateway', async () => {
    later();
    const user = await running.issuer.mint({ scope: 'mcp:test' });
    expect((await ask('/admin/status', { token: user })).status).toBe(401);
    const mcp = await running.fetch('/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.privacy.token}` },
    });
    expect(mcp.status).toBe(401);
    expect((await running.fetch('/admin/status')).status).toBe(404);
  });

  test('that is guessed at ten times a minute is guessed no more: the network is refused before any token is compared', async () => {
    later();
    const guesses: number[] = [];
    for (let n = 0; n < 14; n += 1)
      guesses.push((await ask('/admin/status', { token: `${wrong}${n}` })).status);
    expect(guesses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
    const right = await ask('/admin/status', { token: tokens.dashboard.token });
    expect(right).toMatchObject({ status: 429, body: { reason: 'rate_limited' } });
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await running.operate('GET /status')).ok).toBe(true);
    later();
    expect((await ask('/admin/status', { token: tokens.dashboard.token })).status).toBe(200);
    const told = running.logged.filter(({ event }) => event === 'admin.token_refused');
    expect(told.at(-1)).toMatchObject({ network: '127.0.0.1' });
  });
});

describe('the operators’ listener', () => {
  test.each([
    'attacker.example',
    'attacker.example:3214',
    '127.0.0.1.attacker.example',
    'cortex-admin.example.attacker.example',
  ])('refuses the Host %s, whatever the token: DNS rebinding ends here', async (host) => {
    const refused = await ask('/admin/status', { token: tokens.dashboard.token, headers: { host } });
    expect(refused).toMatchObject({ status: 403, body: { reason: 'host_refused' } });
  });

  test.each(['cortex-admin.example', 'Cortex-Admin.example:8443', 'localhost:3214', '[::1]:3214'])(
    'answers to %s',
    async (host) => {
      const answered = await ask('/admin/status', { token: tokens.dashboard.token, headers: { host } });
      expect(answered.status).toBe(200);
    },
  );

  test.each([
    ['another origin', { origin: 'https://attacker.example' }],
    ['an origin it does not name', { origin: 'null' }],
    ['the same machine, another port', { origin: 'http://127.0.0.1:1' }],
    ['another site without an origin', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling of the site', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a page of %s, whatever the token', async (_name, headers) => {
    const { token } = tokens.pager;
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const refused = await ask('/admin/poll', { method, token, headers });
      expect(refused).toMatchObject({ status: 403, body: { reason: 'origin_refused' } });
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('refuses a body of more than 64 KB, declared or not, and reads no further', async () => {
    const { token } = tokens.privacy;
    const declared = await ask('/admin/vault/list', { method: 'POST', token, body: 'x'.repeat(65 * 1024) });
    expect(declared).toMatchObject({ status: 413, body: { reason: 'too_large' } });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 16 * 1024;
        await Bun.sleep(1);
        if (sent > 64 * 1024 * 1024) controller.close();
        else controller.enqueue(new Uint8Array(16 * 1024));
      },
    });
    const streamed = await ask('/admin/vault/list', { method: 'POST', token, body: endless }).catch(
      () => undefined,
    );
    expect(streamed?.status ?? 413).toBe(413);
    expect(sent).toBeLessThan(8 * 1024 * 1024);
  });

  test.each(['[]', '"x"', '{', `${'['.repeat(100_000).slice(0, 60_000)}`])(
    'says that a body is no JSON object: %#',
    async (body) => {
      const refused = await ask('/admin/vault/list', { method: 'POST', token: tokens.privacy.token, body });
      expect(refused).toMatchObject({ status: 400, body: { reason: 'incomplete' } });
    },
  );

  test('tells readiness with details to who may look', async () => {
    const { status, body } = await ask('/readyz', { token: tokens.dashboard.token });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ready: true,
      version: '0.0.0-test',
      audit: { writable: true },
      backends: [{ id: 'notes', status: 'fresh' }],
    });
  });

  test('sends what keeps its answers from being stored, framed or read by a site, with every status', async () => {
    later();
    const { token } = tokens.dashboard;
    const answers = await Promise.all([
      ask('/admin/status', { token }),
      ask('/admin/status'),
      ask('/admin/none', { token }),
      ask('/admin/poll', { method: 'POST', token }),
      ask('/admin/status', { headers: { host: 'attacker.example' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 403, 403]);
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  test('lets an operation be asked by GET only where it just looks', () => {
    const asked = Object.entries(running.gateway.operations).filter(([name]) => name.startsWith('GET '));
    expect(asked.length).toBeGreaterThan(1);
    for (const [name, { role }] of asked) expect([name, role]).toEqual([name, 'read']);
  });
});

describe('an operator’s browser', () => {
  async function signIn(name: keyof typeof tokens, host?: string) {
    const { token } = tokens[name];
    const answer = await ask('/admin/session', { method: 'POST', token, ...(host && { headers: { host } }) });
    const cookie = answer.headers.get('set-cookie') ?? '';
    return { answer, cookie, pair: cookie.split(';')[0] ?? '', csrf: String(answer.body.csrf) };
  }

  test('trades a token for a cookie that no script reads and no other site sends', async () => {
    const { answer, cookie } = await signIn('pager');
    expect(answer).toMatchObject({ status: 200, body: { name: 'pager', role: 'operate' } });
    expect(cookie).toMatch(/^cortex-admin-\d+=[\w-]{43}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(JSON.stringify(answer.body) + cookie).not.toContain(tokens.pager.token);
    const proxied = await signIn('pager', 'cortex-admin.example');
    expect(proxied.cookie).toMatch(/^__Host-cortex-admin=[\w-]{43}; .*; SameSite=Strict; Secure$/);
    expect(acts('admin.sign_in').at(-1)).toMatchObject({ actor: 'pager' });
  });

  test('acts with its CSRF token alone, and under the name of the token', async () => {
    const { pair, csrf } = await signIn('pager');
    const headers = { cookie: pair, origin, 'sec-fetch-site': 'same-origin' };
    const done = await ask('/admin/poll', { method: 'POST', headers: { ...headers, 'x-cortex-csrf': csrf } });
    expect(done.status).toBe(200);
    expect(acts('catalog.poll').at(-1)).toMatchObject({ actor: 'pager' });
    for (const given of [undefined, '', 'guess', `${csrf}x`, (await signIn('pager')).csrf]) {
      const forged = await ask('/admin/poll', {
        method: 'POST',
        headers: { ...headers, ...(given === undefined ? {} : { 'x-cortex-csrf': given }) },
      });
      expect(forged).toMatchObject({ status: 403, body: { reason: 'csrf_refused' } });
    }
    expect(await ask('/admin/status', { headers })).toMatchObject({ status: 403 });
  });

  test('is told who is signed in, and its CSRF token once alone: who got the cookie has nothing', async () => {
    const { pair, csrf } = await signIn('dashboard');
    const own = await ask('/admin/session', { headers: { cookie: pair, 'x-cortex-csrf': csrf } });
    expect(own).toMatchObject({ status: 200, body: { name: 'dashboard', role: 'read' } });
    expect(JSON.stringify(own.body)).not.toContain(csrf);
    for (const path of ['/admin/session', '/admin/status', '/readyz']) {
      const stolen = await ask(path, { headers: { cookie: pair } });
      expect(stolen).toMatchObject({ status: 403, body: { reason: 'csrf_refused' } });
    }
  });

  test('signs out for good', async () => {
    const { pair, csrf } = await signIn('dashboard');
    const headers = { cookie: pair, 'x-cortex-csrf': csrf };
    expect((await ask('/admin/session', { method: 'DELETE', headers: { cookie: pair } })).status).toBe(403);
    const out = await ask('/admin/session', { method: 'DELETE', headers });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await ask('/admin/status', { headers })).status).toBe(401);
  });

  test('is signed out after eight hours', async () => {
    const { pair, csrf } = await signIn('dashboard');
    const headers = { cookie: pair, 'x-cortex-csrf': csrf };
    running.clock.advance(8 * 3_600_000 - 60_000);
    expect((await ask('/admin/status', { headers })).status).toBe(200);
    later();
    expect((await ask('/admin/status', { headers })).status).toBe(401);
  });

  test('signs in with no cookie that was set for it, and with no wrong token', async () => {
    later();
    const planted = `cortex-admin-${new URL(origin).port}=${'A'.repeat(43)}`;
    expect((await ask('/admin/status', { headers: { cookie: planted } })).status).toBe(401);
    const { pair } = await signIn('dashboard');
    expect(pair).not.toBe(planted);
    expect((await ask('/admin/session', { method: 'POST', token: wrong })).status).toBe(401);
    expect((await ask('/admin/session', { method: 'POST', headers: { cookie: pair } })).status).toBe(401);
  });

  test('is not locked out by the wrong tokens of others on its network', async () => {
    later();
    const { pair, csrf } = await signIn('dashboard');
    for (let n = 0; n < limits.adminFailuresPerMinute; n += 1) await ask('/admin/status', { token: wrong });
    expect((await ask('/admin/status', { headers: { cookie: pair, 'x-cortex-csrf': csrf } })).status).toBe(
      200,
    );
    expect((await ask('/admin/session', { method: 'POST', token: tokens.pager.token })).status).toBe(429);
    later();
  });
});

test('does nothing but look while the audit cannot be written', async () => {
  let acted = 0;
  const act: Operation = { role: 'operate', run: async () => ok({ acted: ++acted }) };
  const app = createAdminApp({
    settings: () => ({
      listen: undefined,
      hosts: [],
      tokens: new Map([['ops', { token: new Secret(tokens.pager.token), role: 'operate' }]]),
    }),
    operations: { 'GET /status': { role: 'read', run: async () => ok({}) }, 'POST /act': act },
    addressOf: () => undefined,
    failures: createLimiter(systemClock),
    mayRecord: () => false,
    act: async () => false,
    clock: systemClock,
    log: silentLog,
  });
  const asked = async (path: string, method: string) => {
    const headers = { host: 'localhost', authorization: `Bearer ${tokens.pager.token}` };
    const response = await app.fetch(new Request(`http://localhost${path}`, { method, headers }));
    return [response.status, await response.json()];
  };
  expect(await asked('/admin/status', 'GET')).toEqual([200, {}]);
  for (const path of ['/admin/act', '/admin/session']) {
    expect(await asked(path, 'POST')).toMatchObject([503, { reason: 'not_recordable' }]);
  }
  expect(acted).toBe(0);
});

describe('a reload of the configuration', () => {
  test('ends a token that was taken away or exchanged, and the browsers that it signed in', async () => {
    await using other = await runGateway({ config: { admin } });
    const base = other.listenAdmin();
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await fetch(`${base}/admin/status`, { headers })).status;
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const cookieOf = async (token: string) => {
      const answer = await fetch(`${base}/admin/session`, { method: 'POST', headers: bearer(token) });
      const told: unknown = await answer.json();
      return {
        cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
        'x-cortex-csrf': isJsonObject(told) ? String(told.csrf) : '',
      };
    };
    const rotated = await cookieOf(tokens.pager.token);
    const removed = await cookieOf(tokens.privacy.token);
    const kept = await cookieOf(tokens.dashboard.token);
    const fresh = 'another-token-of-pager-0123456789-0123';
    const next = { ...tokens, pager: { token: fresh, role: 'operate' }, privacy: undefined };
    await other.reload({}, { admin: { ...admin, tokens: JSON.parse(JSON.stringify(next)) } });

    expect(await status(bearer(tokens.pager.token))).toBe(401);
    expect(await status(rotated)).toBe(401);
    expect(await status(bearer(tokens.privacy.token))).toBe(401);
    expect(await status(removed)).toBe(401);
    expect(await status(bearer(fresh))).toBe(200);
    expect(await status(kept)).toBe(200);
    expect(await status(bearer(tokens.dashboard.token))).toBe(200);
  });

  test('changes what a signed-in browser may do as soon as its token’s role changes', async () => {
    await using other = await runGateway({ config: { admin } });
    const base = other.listenAdmin();
    const { token } = tokens.pager;
    const signedIn = await fetch(`${base}/admin/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    const told: unknown = await signedIn.json();
    const csrf = isJsonObject(told) ? String(told.csrf) : '';
    const headers = {
      cookie: signedIn.headers.get('set-cookie')?.split(';')[0] ?? '',
      'x-cortex-csrf': csrf,
    };
    const poll = async () => (await fetch(`${base}/admin/poll`, { method: 'POST', headers })).status;
    expect(await poll()).toBe(200);
    await other.reload({}, { admin: { ...admin, tokens: { pager: { token, role: 'read' } } } });
    expect(await poll()).toBe(403);
  });

  test('moves no listener: that needs a restart, and is said', async () => {
    await using other = await runGateway({ config: { admin } });
    const restart = await other.reload({}, { admin: { ...admin, listen: '127.0.0.1:1' } });
    expect(restart).toContain('admin.listen');
  });
});
