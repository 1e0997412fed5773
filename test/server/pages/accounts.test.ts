import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import type { GrantSummary } from '#vault/grant.ts';
import { headingOf, openPeople, type People, type Person, pageOf } from './people.ts';

let people: People;
let ada: Person;
beforeAll(async () => {
  people = await openPeople();
  ada = await people.signedIn('ada@example.com');
});
afterAll(() => people[Symbol.asyncDispose]());
beforeEach(() => {
  people.provider.grants.clear();
  people.provider.revokes = true;
  people.records.length = 0;
  people.changed.length = 0;
  people.calls = [];
});

const grant = (over: Partial<GrantSummary> = {}): GrantSummary => ({
  server: 'linear',
  account: 'ada@linear.example',
  scopes: ['read', 'write'],
  issuer: 'https://linear.example',
  linkedAt: Date.UTC(2026, 4, 3),
  lastUsedAt: Date.now() - 3 * 3_600_000,
  expiresAt: undefined,
  isDead: false,
  ...over,
});
const list = async () => pageOf(await ada.browser.open(`${people.origin}/link`));

test('whoever is not signed in learns the name of no server', async () => {
  for (const path of ['/link', '/link/linear', '/link/unknown']) {
    const { html, status } = pageOf(await createHeadlessBrowser().open(people.origin + path));
    expect(status).toBe(200);
    expect(html).toContain('Sign in first');
    expect(html).not.toMatch(/Linear|exports/);
  }
});

test('a server shows as not linked, linked as whom and since when, or to be linked again', async () => {
  const before = await list();
  expect(before.html).toContain('Not linked');
  expect(before.html).toContain('Signed in as ada@example.com');

  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const linked = await list();
  for (const text of ['ada@linear.example', '3 May 2026', '3 hours ago', 'read, write', 'Unlink…'])
    expect(linked.html).toContain(text);

  people.provider.grants.set(`${ada.owner.key} linear`, grant({ isDead: true, lastUsedAt: undefined }));
  const dead = await list();
  expect(dead.html).toContain('The provider no longer accepts this link');
  expect(dead.html).toContain('never');
});

test('a server shows only to those who hold its default scopes, but a link that is there stays in sight', async () => {
  expect((await list()).html).not.toContain('exports');
  const hidden = pageOf(await ada.browser.open(`${people.origin}/link/exports`));
  const unknown = pageOf(await ada.browser.open(`${people.origin}/link/unknown`));
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(hidden.html).toBe(unknown.html);

  people.provider.grants.set(`${ada.owner.key} exports`, grant({ server: 'exports' }));
  const { html } = await list();
  expect(html).toContain('exports');
  expect(html).toContain('action="/link/exports/unlink"');
  expect(html).not.toContain('action="/link/exports"');
});

test('a link at a server that the gateway has no more can be taken back', async () => {
  people.provider.grants.set(`${ada.owner.key} former`, grant({ server: 'former' }));
  const page = await list();
  expect(page.html).not.toContain('action="/link/former"');
  const done = pageOf(await ada.browser.submit(page, '/link/former/unlink', {}));
  expect(headingOf(done)).toBe('former is unlinked');
});

test('nobody sees the links of others', async () => {
  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const bob = await people.signedIn('bob@example.com');
  const { html } = pageOf(await bob.browser.open(`${people.origin}/link`));
  expect(html).not.toContain('ada@');
});

test('unlinking tells the provider, is recorded, and says what it did', async () => {
  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const done = pageOf(await ada.browser.submit(await list(), '/link/linear/unlink', {}));
  expect(headingOf(done)).toBe('Linear is unlinked');
  expect(done.html).toContain('The provider was told');
  expect(people.provider.grants.size).toBe(0);
  expect(people.records).toEqual([
    { action: 'unlink', server: 'linear', outcome: 'ok', code: 'ok', owner: ada.owner.key },
  ]);
  expect(people.changed).toEqual([`linear ${ada.owner.key}`]);
});

test('where the provider cannot be told, the page says how to be sure', async () => {
  people.provider.revokes = false;
  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const done = pageOf(await ada.browser.submit(await list(), '/link/linear/unlink', {}));
  expect(done.html).toContain('could not be told');
});

test('unlinking what is not linked any more says so', async () => {
  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const page = await list();
  people.provider.grants.clear();
  const done = pageOf(await ada.browser.submit(page, '/link/linear/unlink', {}));
  expect([done.status, headingOf(done)]).toEqual([409, 'Linear was not unlinked']);
});

test('the recent calls show tool, when, outcome and how long', async () => {
  const call = { method: 'tools/call', backend: 'linear', code: 'ok', outcome: 'ok' };
  people.calls = [
    { ...call, tool: 'linear_create_issue', time: Date.now() - 5 * 60_000, ms: 1_234 },
    { ...call, tool: '<b>x</b>', time: Date.now(), ms: 12, outcome: 'error', code: 'backend_timeout' },
  ];
  const { html } = await list();
  for (const text of [
    'linear_create_issue',
    '5 minutes ago',
    'done',
    '1.2 s',
    'error: backend timeout',
    '12 ms',
  ])
    expect(html).toContain(text);
  expect(html).toContain('&lt;b&gt;x');
});

test('calls that cannot be read do not take the page away', async () => {
  people.calls = undefined;
  const { html, status } = await list();
  expect(status).toBe(200);
  expect(html).toContain('They cannot be shown right now.');
});

test('signing out ends the session in this browser', async () => {
  const person = await people.signedIn('carol@example.com');
  const page = pageOf(await person.browser.open(`${people.origin}/link`));
  expect(headingOf(pageOf(await person.browser.submit(page, '/sign-out', {})))).toBe('You are signed out');
  expect(headingOf(pageOf(await person.browser.open(`${people.origin}/link`)))).toBe('Sign in first');
});

test('nothing is unlinked or linked while it could not be recorded', async () => {
  people.provider.grants.set(`${ada.owner.key} linear`, grant());
  const page = await list();
  people.mayRecord = false;
  try {
    const done = pageOf(await ada.browser.submit(page, '/link/linear/unlink', {}));
    expect([done.status, headingOf(done)]).toEqual([503, 'Not right now']);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const answer = await fetch(`${people.origin}/link/linear/finish`, {
      method: 'POST',
      body: new URLSearchParams({ csrf, flow: 'x' }),
      headers: { cookie: ada.cookies(), origin: people.origin },
    });
    expect(answer.status).toBe(503);
  } finally {
    people.mayRecord = true;
  }
  expect(people.provider.grants.size).toBe(1);
  expect(people.provider.asked).not.toContain('confirm');
});

test('a fault of ours is a page with an id that the log knows, and nothing else', async () => {
  const broken = people.servers;
  people.servers = [{ id: 'linear', title: 'Linear', defaultScopes: [] }];
  Object.defineProperty(people.servers[0] ?? {}, 'defaultScopes', {
    get() {
      throw new Error('secret detail');
    },
  });
  try {
    const page = await list();
    expect([page.status, headingOf(page)]).toEqual([500, 'Something went wrong']);
    expect(page.html).not.toContain('secret detail');
    const logged = people.log.events.find(({ event }) => event === 'pages.fault')?.fields;
    expect(page.html).toContain(String(logged?.id));
  } finally {
    people.servers = broken;
  }
});

test('by another name of this machine, the way to sign in leads to the name that the cookies belong to', async () => {
  const html = await (await fetch(`${people.origin.replace('127.0.0.1', 'localhost')}/link`)).text();
  expect(html).toContain(`href="${people.origin}/sign-in?next=%2Flink"`);
});
