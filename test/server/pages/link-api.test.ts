import { afterAll, beforeAll, expect, test } from 'vitest';
import { headingOf, openPeople, type People, pageOf } from './people.ts';

let people: People;
let token: string;
beforeAll(async () => {
  people = await openPeople();
  token = await people.token('ada@example.com');
});
afterAll(() => people[Symbol.asyncDispose]());

const ask = (method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}) =>
  fetch(people.origin + path, { method, headers: { authorization: `Bearer ${token}`, ...headers } });

test('a program gets a page for its own user, and sees when that is linked', async () => {
  const before = await ask('GET', '/link/linear/status');
  expect(await before.json()).toEqual({ server: 'linear', state: 'unlinked' });

  const answer = await ask('POST', '/link/linear/start');
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  const { url }: { readonly url: string } = await answer.json();
  expect(url).toMatch(new RegExp(`^${people.origin}/link/linear\\?ticket=[\\w-]{43}$`));
  expect(url).not.toContain(token);

  const ada = await people.signedIn('ada@example.com');
  expect(headingOf(pageOf(await ada.browser.open(url)))).toBe('Link Linear');
  people.provider.grants.set(`${ada.owner.key} linear`, {
    server: 'linear',
    account: 'ada@linear.example',
    scopes: ['read'],
    issuer: people.provider.origin,
    linkedAt: Date.UTC(2026, 10, 27),
    lastUsedAt: undefined,
    expiresAt: undefined,
    isDead: false,
  });
  const after = await ask('GET', '/link/linear/status');
  expect(await after.json()).toEqual({
    server: 'linear',
    state: 'linked',
    account: 'ada@linear.example',
    linked_at: '2026-11-27T00:00:00.000Z',
  });
});

test('without a token there is the same challenge as at /mcp, whatever the cookie says', async () => {
  const ada = await people.signedIn('ada@example.com');
  for (const [method, path] of [
    ['POST', '/link/linear/start'],
    ['GET', '/link/linear/status'],
    ['POST', '/link/unknown/start'],
  ] as const) {
    const answer = await fetch(people.origin + path, { method, headers: { cookie: ada.cookies() } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
  }
  const inQuery = await fetch(`${people.origin}/link/linear/start?access_token=${token}`, { method: 'POST' });
  expect(inQuery.status).toBe(401);
});

test('a server that is not there and one that is not theirs are told the same', async () => {
  const [hidden, unknown] = [
    await ask('POST', '/link/exports/start'),
    await ask('POST', '/link/nothing/start'),
  ];
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(await hidden.text()).toBe(await unknown.text());
});

test('no script of another origin reads it, and nobody asks for tickets without end', async () => {
  const foreign = await ask('POST', '/link/linear/start', { origin: 'https://claude.ai' });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  let status = 0;
  for (let tries = 0; tries < 40 && status !== 429; tries += 1)
    status = (await ask('POST', '/link/linear/start')).status;
  expect(status).toBe(429);
});

test('only the methods that a path has are taken', async () => {
  for (const [method, path, allow] of [
    ['PUT', '/link/linear', 'GET, POST'],
    ['GET', '/link/linear/finish', 'POST'],
    ['POST', '/link/linear/callback', 'GET'],
    ['GET', '/sign-out', 'POST'],
    ['HEAD', '/link/linear/callback', 'GET'],
  ] as const) {
    const answer = await fetch(people.origin + path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
  }
});

test('a token with a proof is refused here: the proof is for the gateway’s own URL and for no page', async () => {
  const answer = await ask('GET', '/link/linear/status', { authorization: `DPoP ${token}`, dpop: 'x.y.z' });
  expect(answer.status).toBe(401);
});
