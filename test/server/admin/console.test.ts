import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleWorld, consoleTokens, link, openConsole } from '../../support/console-world.ts';
import { createMovingClock } from '../../support/moving-clock.ts';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await openConsole();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Against a gateway of its own, which may be ended. */
async function within(run: (other: ConsoleWorld) => Promise<void>): Promise<void> {
  await using other = await openConsole();
  const here = world;
  world = other;
  try {
    await run(other);
  } finally {
    world = here;
  }
}

type Name = keyof typeof consoleTokens;
interface Browser {
  readonly cookie: string;
  /** The address of the overview. */
  readonly base: string;
  readonly csrf: string;
}

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${world.origin}${path}`, { redirect: 'manual', ...init });
const form = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers,
});

async function signIn(as: Name, next = ''): Promise<Browser> {
  const answer = await ask('/console/sign-in', form({ token: consoleTokens[as].token, next }));
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  const base = /^\/console\/[\w-]{43}\//.exec(answer.headers.get('location') ?? '')?.[0] ?? '';
  const page = await (await ask(base, { headers: { cookie } })).text();
  return { cookie, base, csrf: /name="csrf" value="([\w-]{43})"/.exec(page)?.[1] ?? '' };
}
const look = async ({ cookie, base }: Browser, address: string) => {
  const answer = await ask(`${base}${address}`, { headers: { cookie } });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};
const act = async (
  { cookie, base, csrf }: Browser,
  address: string,
  fields: Readonly<Record<string, string>> = {},
) => {
  const answer = await ask(`${base}${address}`, form({ csrf, ...fields }, { cookie }));
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};
const acts = (action: string) => world.running.acts().filter((record) => record.action === action);

describe('signing in to the console', () => {
  test('trades a token for a cookie and a key in the address, and neither is worth anything alone', async () => {
    const { cookie, base } = await signIn('dashboard');
    expect(cookie).toMatch(/^cortex-admin-\d+=[\w-]{43}$/);
    expect((await ask(base, { headers: { cookie } })).status).toBe(200);
    const other = await signIn('dashboard');
    for (const [path, headers] of [
      [base, {}],
      [base, { cookie: other.cookie }],
      [`/console/${'A'.repeat(43)}/`, { cookie }],
      [`/console/${'A'.repeat(43)}/live?of=`, { cookie }],
      ['/console/', { cookie }],
      ['/console', { cookie }],
    ] as const) {
      const answer = await ask(path, { headers });
      const text = await answer.text();
      expect(text).toContain('Admin token');
      expect(text).not.toMatch(/notes|billing|dashboard/);
      // Whoever was given the cookie alone must not learn the key.
      expect(text + JSON.stringify([...answer.headers])).not.toContain(base);
    }
  });

  test('shows nothing of the token, and records who came in', async () => {
    const before = acts('admin.sign_in').length;
    const browser = await signIn('pager');
    expect(acts('admin.sign_in').at(-1)).toMatchObject({ actor: 'pager' });
    expect(acts('admin.sign_in')).toHaveLength(before + 1);
    expect((await look(browser, '')).text).not.toContain(consoleTokens.pager.token);
  });

  test.each([
    ['none', ''],
    ['a wrong one', 'wrong-token-0123456789-0123456789-0123'],
    ['markup', '"><script>alert(1)</script>'],
  ])('with %s is answered by the form, 401, and no cookie', async (_name, token) => {
    world.running.clock.advance(60_000);
    const answer = await ask('/console/sign-in', form({ token }));
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null]);
    const text = await answer.text();
    expect(text).toContain('This is no token that counts');
    expect(text).not.toContain('<script>alert');
  });

  test('that is guessed at is slowed down: no token is looked at for a while, and it is said', async () => {
    world.running.clock.advance(60_000);
    const tries: number[] = [];
    for (let n = 0; n < 12; n += 1)
      tries.push(
        (await ask('/console/sign-in', form({ token: `wrong-token-0123456789-012345-${n}` }))).status,
      );
    expect(tries).toEqual([...Array(10).fill(401), 429, 429]);
    const right = await ask('/console/sign-in', form({ token: consoleTokens.pager.token }));
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
    world.running.clock.advance(60_000);
  });

  test('leads on to where somebody wanted to go, and never elsewhere', async () => {
    const to = async (next: string) => {
      const answer = await ask('/console/sign-in', form({ token: consoleTokens.dashboard.token, next }));
      return answer.headers.get('location')?.replace(/^\/console\/[\w-]{43}\//, '');
    };
    expect(await to('audit?tool=notes')).toBe('audit?tool=notes');
    for (const next of ['//attacker.example/', 'https://attacker.example', '\\\\attacker', 'a\r\nx: y'])
      expect(await to(next)).not.toMatch(/attacker\.example$|:/);
    const { text } = await look({ cookie: '', base: `/console/${'B'.repeat(43)}/`, csrf: '' }, 'quarantine');
    expect(text).toContain('name="next" value="quarantine"');
  });

  test('is asked of whoever follows a link of another site, whatever cookie comes along', async () => {
    const { cookie, base } = await signIn('dashboard');
    const visit = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    const led = await ask(base, { headers: { cookie, ...visit } });
    expect([led.status, await led.text()]).toEqual([401, expect.stringContaining('Admin token')]);
    for (const headers of [
      { ...visit, 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      expect((await ask(base, { headers: { cookie, ...headers } })).status).toBe(403);
    }
    const posted = await ask(`${base}poll`, { method: 'POST', headers: { cookie, ...visit } });
    expect(posted.status).toBe(403);
  });

  test('is nothing for a program: it is told of a token as before', async () => {
    expect((await ask('/')).status).toBe(401);
    const browser = await ask('/', { headers: { accept: 'text/html' } });
    expect([browser.status, await browser.text()]).toEqual([200, expect.stringContaining('Admin token')]);
  });

  test('ends with signing out, and says so on pages that are open', async () => {
    const browser = await signIn('dashboard');
    expect((await act(browser, 'sign-out')).headers.get('location')).toBe('/console');
    expect((await look(browser, 'catalog')).text).toContain('Your session has ended');
  });
});

describe('a page of the console', () => {
  const pages = [
    '',
    'catalog',
    'quarantine',
    'audit',
    'grants',
    'revoke',
    'backends/notes',
    'tool?name=notes_list_notes',
  ];

  test.each(pages)(
    '%s is shown to who may look, may run no script of its own and stands in no frame',
    async (address) => {
      const { status, headers, text } = await look(await signIn('dashboard'), address);
      expect(status).toBe(200);
      expect(text).toMatch(/^<!doctype html>/);
      expect(text).not.toMatch(
        /<script(?! src="\/console\/assets\/console\.js" defer><\/script>)|\son\w+=|\sstyle=/,
      );
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('unsafe');
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      });
    },
  );

  test('that is not there is 404 within the session', async () => {
    const browser = await signIn('dashboard');
    for (const address of ['none', 'backends/none', 'audit/999999999', 'audit/x', 'tool?name=none', 'a/b/c'])
      expect([address, (await look(browser, address)).status]).toEqual([address, 404]);
  });

  test('shows each backend with its state, breaker and what became of its calls', async () => {
    const caller = await world.running.caller({ sub: 'ada', scope: 'mcp:notes:read' });
    await caller.tool('notes_list_notes');
    world.running
      .backend('notes')
      .answer('list_notes', () => Response.json({ error: 'no' }, { status: 500 }));
    await caller.tool('notes_list_notes');
    await world.running.calls(2, ({ tool }) => tool === 'notes_list_notes');
    const { text } = await look(await signIn('dashboard'), 'backends/notes');
    expect(text).toContain('notes: 2 calls in the last hour, 1 of them failed');
    expect(text).toContain('closed');
    expect(text).toContain('business_error');
  });

  test('says in words what must not be overlooked', async () => {
    const browser = await signIn('dashboard');
    const troubles = async () =>
      /<ul class="troubles">(.*?)<\/ul>/s.exec((await look(browser, '')).text)?.[1];
    expect(await troubles()).toBeUndefined();
    await within(async (other) => {
      const there = await signIn('dashboard');
      await other.running.gateway.drain(0);
      expect((await look(there, '')).text).toContain('The gateway is stopping');
    });
  });

  test('shows the way of a call: each gate with its time, and where it ended', async () => {
    const caller = await world.running.caller({
      sub: 'ada',
      scope: 'mcp:notes:read',
      client_id: 'on-its-way',
    });
    await caller.tool('search_search_docs');
    await caller.tool('notes_list_notes');
    const records = await world.running.calls(2, ({ client }) => client === 'on-its-way');
    const [refused, done] = records.map(({ seq }) => String(seq));
    const browser = await signIn('dashboard');
    const gates = async (seq: string | undefined) => {
      const { text } = await look(browser, `audit/${seq}`);
      return [...text.matchAll(/✓<\/span> ([^<]+)</g)].map(([, gate]) => gate);
    };
    const inside = ['token', 'allowance', 'body', 'envelope', 'audit', 'catalog'];
    expect(await gates(refused)).toEqual(inside);
    expect(await gates(done)).toEqual([
      ...inside,
      ...['scopes', 'allowance of the tool', 'identity', 'breaker', 'connection', 'backend'],
    ]);
    expect((await look(browser, `audit/${refused}`)).text).toContain('the next gate said no');
  });

  test('shows the newest records that its filter wants', async () => {
    const caller = await world.running.caller({ sub: 'grace', scope: 'mcp:notes:read' });
    await caller.tool('notes_search_notes');
    const [record] = (await world.running.calls(1, ({ tool }) => tool === 'notes_search_notes')).slice(-1);
    const browser = await signIn('dashboard');
    const rows = async (query: string) =>
      [...(await look(browser, `audit?${query}`)).text.matchAll(/data-label="What">([^<]*)</g)].map(
        ([, what]) => what,
      );
    expect(await rows('tool=search_notes')).toEqual(['notes_search_notes']);
    expect(await rows(`user=${record?.user}&tool=search_notes`)).toEqual(['notes_search_notes']);
    expect(await rows('kind=admin')).toContain('admin.sign_in');
    expect(await rows('tool=none')).toEqual([]);
    expect((await look(browser, 'audit?tool=%22%3E%3Cscript%3E')).text).not.toContain('"><script>');
  });

  test('shows the plans that see a tool, and what one has that another has not', async () => {
    const { text } = await look(await signIn('dashboard'), 'catalog?from=free&to=pro');
    const only = (title: string) =>
      [...(text.split(title)[1]?.split('</section>')[0] ?? '').matchAll(/>([a-z_]+)<\/a>/g)].map(
        ([, name]) => name,
      );
    expect(only('Only pro sees')).toEqual([
      'billing_get_invoice',
      'calendar_list_events',
      'notes_create_note',
    ]);
    expect(only('Only free sees')).toEqual([]);
  });

  test('counts the linked accounts of each user under a pseudonym, and never shows an account or a token', async () => {
    for (const server of ['linear', 'atlassian']) await link(world, world.running.issuer.url, 'ada', server);
    const { text } = await look(await signIn('pager'), 'grants');
    expect(text).toContain('linear');
    expect(text).toMatch(/class="mono" href="[^"]*">[\w-]{22}</);
    expect(text).not.toMatch(/ada|access-token|refresh-token/);
  });
});

describe('an act in the console', () => {
  test('needs the CSRF token of its own session, and a form', async () => {
    const browser = await signIn('pager');
    const polls = acts('catalog.poll').length;
    const other = await signIn('pager');
    for (const csrf of ['', 'x', other.csrf])
      expect((await act({ ...browser, csrf }, 'poll')).status).toBe(403);
    const json = await ask(`${browser.base}poll`, {
      method: 'POST',
      headers: { cookie: browser.cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ csrf: browser.csrf }),
    });
    expect(json.status).toBe(403);
    expect(acts('catalog.poll')).toHaveLength(polls);
    expect((await act(browser, 'poll')).status).toBe(303);
    expect(acts('catalog.poll').at(-1)).toMatchObject({ actor: 'pager' });
    expect(
      (await ask(`${browser.base}poll`, { method: 'PUT', headers: { cookie: browser.cookie } })).status,
    ).toBe(405);
  });

  test.each([
    ['poll', {}],
    ['quarantine/approve', { name: 'notes_list_notes' }],
    ['revoke', { kind: 'subject', value: 'ada', issuer: '' }],
    ['grants/reveal', {}],
    ['audit/1/reveal', { user: 'x', reason: 'y' }],
  ])('%s is refused to a token that may only look, and the attempt is recorded', async (address, fields) => {
    const before = acts('admin.refused').length;
    const refused = await act(await signIn('dashboard'), address, fields);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('the role of this token does not cover it');
    expect(acts('admin.refused')).toHaveLength(before + 1);
    expect(acts('admin.refused').at(-1)).toMatchObject({ actor: 'dashboard', role: 'read' });
  });

  test('approves exactly the definition that was looked at, and nothing that changed once more', async () => {
    const changed = (description: string) => [
      { name: 'list_events', scope: 'mcp:calendar:read', description, inputSchema: { type: 'object' } },
    ];
    world.running.backend('calendar').setTools(changed('The events of a week, and of everybody.'));
    await world.running.operate('POST /poll');
    const browser = await signIn('pager');
    const { text } = await look(browser, 'quarantine');
    expect(text).toContain('<ins>');
    const print = /name="print" value="([^"]+)"/.exec(text)?.[1] ?? '';
    const fields = { name: 'calendar_list_events', backend: 'calendar', kind: 'tool', print };

    world.running.backend('calendar').setTools(changed('Something else once more.'));
    await world.running.operate('POST /poll');
    const late = await act(browser, 'quarantine/approve', fields);
    expect([late.status, late.text]).toEqual([409, expect.stringContaining('it has changed once more')]);

    const now = /name="print" value="([^"]+)"/.exec((await look(browser, 'quarantine')).text)?.[1] ?? '';
    expect((await act(browser, 'quarantine/approve', { ...fields, print: now })).status).toBe(303);
    expect(acts('integrity.approve').at(-1)).toMatchObject({ actor: 'pager', print: now });
    expect((await look(browser, 'quarantine')).text).toContain('Every definition is as it was accepted.');
  });

  test('revokes once it was confirmed, and says who confirmed it', async () => {
    const caller = await world.running.caller({ sub: 'mallory', scope: 'mcp:notes:read' });
    expect((await caller.modern('tools/list')).status).toBe(200);
    const browser = await signIn('pager');
    const asked = { kind: 'subject', value: 'mallory', issuer: world.running.issuer.url };
    const confirm = await act(browser, 'revoke/check', asked);
    expect(confirm.text).toContain('Revoke this?');
    expect((await caller.modern('tools/list')).status).toBe(200);
    const done = await act(browser, 'revoke', asked);
    expect(done.text).toMatch(/1 replica in [\d.]+ ms/);
    expect((await caller.modern('tools/list')).status).toBe(401);
    const wrong = await act(browser, 'revoke', { ...asked, kind: 'none' });
    expect([wrong.status, wrong.text]).toEqual([409, expect.stringContaining('kind must be')]);
    expect((await act(browser, 'revoke/check', { ...asked, value: ' ' })).text).toContain(
      'Its value is missing',
    );
  });

  test('cuts off a user by the name of the audit, and tells nobody who it is', async () => {
    const claims = { sub: 'oscar', scope: 'mcp:notes:read', client_id: 'to-be-cut-off' };
    const caller = await world.running.caller(claims);
    await caller.tool('notes_list_notes');
    const [record] = await world.running.calls(1, ({ client }) => client === 'to-be-cut-off');
    const browser = await signIn('pager');
    expect((await look(browser, `audit/${record?.seq}`)).text).toContain('Revoke this user’s tokens');
    const asked = { kind: 'pseudonym', value: String(record?.user) };
    const confirm = await act(browser, 'revoke/check', asked);
    const done = await act(browser, 'revoke', asked);
    expect(done.text).toMatch(/1 replica in [\d.]+ ms/);
    expect(confirm.text + done.text).not.toContain('oscar');
    expect((await caller.modern('tools/list')).status).toBe(401);
    const unknown = await act(browser, 'revoke', { ...asked, value: 'x'.repeat(22) });
    expect([unknown.status, unknown.text]).toEqual([409, expect.stringContaining('nobody is called')]);
  });

  test('attack: cutting off somebody by a name of last month tells nobody the name of this one', async () => {
    const clock = createMovingClock();
    await using other = await openConsole({ clock });
    const caller = await other.running.caller({ sub: 'oscar', scope: 'mcp:notes:read', client_id: 'c' });
    await caller.tool('notes_list_notes');
    const [record] = await other.running.calls(1, ({ client }) => client === 'c');
    clock.advance(35 * 24 * 3_600_000);
    const answer = await fetch(`${other.origin}/admin/revocations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${consoleTokens.pager.token}` },
      body: JSON.stringify({ kind: 'subject', pseudonym: record?.user }),
    });
    expect(answer.status).toBe(200);
    const revoked = () => other.running.acts().filter(({ action }) => action === 'revoke');
    await expect.poll(() => revoked().length).toBe(1);
    expect(revoked()[0]?.user).toBe(record?.user);
  });

  test('shows people to who may see them alone, and only once that is recorded', async () => {
    const caller = await world.running.caller({
      sub: 'ada',
      scope: 'mcp:notes:read',
      client_id: 'of-a-person',
    });
    await caller.tool('notes_list_notes');
    await link(world, world.running.issuer.url, 'ada', 'linear');
    const [record] = await world.running.calls(1, ({ client }) => client === 'of-a-person');
    const seq = String(record?.seq);
    const pager = await signIn('pager');
    expect((await look(pager, `audit/${seq}`)).text).not.toContain('Who was it?');
    for (const address of ['grants/reveal', `audit/${seq}/reveal`])
      expect((await act(pager, address, { user: String(record?.user), reason: 'curious' })).status).toBe(403);

    const browser = await signIn('privacy');
    expect((await act(browser, 'grants/reveal')).text).toContain('ada@linear.example');
    expect(acts('vault.list').at(-1)).toMatchObject({ actor: 'privacy' });
    const unexplained = await act(browser, `audit/${seq}/reveal`, {
      user: String(record?.user),
      reason: ' ',
    });
    expect(unexplained.status).toBe(409);
    const told = await act(browser, `audit/${seq}/reveal`, {
      user: String(record?.user),
      reason: 'ticket 12',
    });
    expect(told.text).toContain('<dd>ada</dd>');
    expect(
      world.running
        .acts()
        .filter(({ kind }) => kind === 'reveal')
        .at(-1),
    ).toMatchObject({
      kind: 'reveal',
      actor: 'privacy',
      reason: 'ticket 12',
    });

    // Whoever writes a reason may well name somebody in it.
    const reveals = await look(browser, 'audit?kind=reveal');
    const [, asked = ''] = /audit\/(\d+)"/.exec(reveals.text) ?? [];
    expect((await look(browser, `audit/${asked}`)).text).toContain('ticket 12');
    for (const as of ['dashboard', 'pager'] as const) {
      const page = await look(await signIn(as), `audit/${asked}`);
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('ticket 12');
    }
  });
});

describe('a page that stays up to date', () => {
  async function follow({ base, cookie }: Browser, of: string) {
    const stop = new AbortController();
    const answer = await ask(`${base}live?${new URLSearchParams({ of })}`, {
      headers: { cookie },
      signal: stop.signal,
    });
    const reader = answer.body?.getReader();
    let text = '';
    return {
      answer,
      stop: () => stop.abort(),
      async until(wanted: RegExp): Promise<string> {
        while (!wanted.test(text)) {
          const part = await reader?.read();
          if (part?.value === undefined) throw new Error(`ended without ${wanted}: ${text.slice(-500)}`);
          text += new TextDecoder().decode(part.value);
        }
        return text;
      },
    };
  }

  test('is sent what changed of it, and nothing that did not', async () => {
    const browser = await signIn('dashboard');
    for (const of of ['revoke', 'grants', 'none'])
      expect((await follow(browser, of)).answer.status).toBe(404);
    const stream = await follow(browser, 'audit?tool=create_note');
    expect(stream.answer.headers.get('content-type')).toBe('text/event-stream');
    const caller = await world.running.caller({ sub: 'ada', scope: 'mcp:notes:read mcp:notes:write' });
    await caller.tool('notes_create_note');
    const text = await stream.until(/notes_create_note/);
    expect(text).toContain('"id":"records"');
    expect(text).not.toContain('"id":"filter"');
    stream.stop();
  });

  test('is told that its session has ended, and then nothing more', async () => {
    const browser = await signIn('dashboard');
    const stream = await follow(browser, '');
    await stream.until(/"id":"tiles"/);
    await act(browser, 'sign-out');
    await stream.until(/"ended":true/);
    await expect(stream.until(/never/)).rejects.toThrow('ended without');
  });

  test('is one of so many: beyond that it is refused, and the gateway can always end them', async () => {
    await within(async (other) => {
      const browser = await signIn('dashboard');
      const streams = [];
      for (let n = 0; n < 65; n += 1) streams.push(await follow(browser, 'audit?tool=none'));
      expect(streams.map(({ answer }) => answer.status)).toEqual([...Array(64).fill(200), 503]);
      await other.running.gateway.drain(0);
      await expect(streams[0]?.until(/never/)).rejects.toThrow('ended without');
    });
  });
});

test('a session of the console ends after eight hours', async () => {
  const later = await signIn('dashboard');
  world.running.clock.advance(8 * 3_600_000);
  expect(await look(later, 'catalog')).toMatchObject({ status: 401 });
});
