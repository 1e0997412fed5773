import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import { catalogOwner } from '#vault/catalog-owner.ts';
import { headingOf, locationOf, openPeople, type People, type Person, pageOf } from './people.ts';

let people: People;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  people = await openPeople();
  ada = await people.signedIn('ada@example.com');
  bob = await people.signedIn('bob@example.com');
});
afterAll(() => people[Symbol.asyncDispose]());
beforeEach(() => {
  people.provider.grants.clear();
  people.provider.asked.length = 0;
  people.provider.account = 'ada@linear.example';
  people.provider.refuses = undefined;
  people.provider.revokes = true;
  people.records.length = 0;
  people.changed.length = 0;
});

/** From the page of a ticket to the page that shows the account. */
async function throughProvider(person: Person, ticket: string) {
  const page = pageOf(await person.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
  const provider = createHeadlessBrowser();
  const away = locationOf(await person.browser.submit(page, '/link/linear', {}));
  const consent = pageOf(await provider.open(away));
  const back = locationOf(
    await provider.open(`${new URL(consent.url).origin}/answer${new URL(consent.url).search}`),
  );
  return back;
}

describe('a link from an agent', () => {
  test('says which server and for whom, leads to the provider, shows the account, and is stored only then', async () => {
    const ticket = await people.ticketFor(ada.owner);
    const shown = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(headingOf(shown)).toBe('Link Linear');
    expect(shown.html).toContain('ada@example.com');

    const back = await throughProvider(ada, ticket);
    const asked = pageOf(await ada.browser.open(back));
    expect(headingOf(asked)).toBe('Link this account?');
    expect(asked.html).toContain('ada@linear.example');
    expect(people.provider.grants.size).toBe(0);
    expect(people.changed).toEqual([]);

    const done = pageOf(await ada.browser.submit(asked, '/link/linear/finish', {}));
    expect(headingOf(done)).toBe('Linear is linked');
    expect(done.html).toContain('Go back to your agent');
    expect([...people.provider.grants.keys()]).toEqual([`${ada.owner.key} linear`]);
    expect(people.records).toEqual([
      { action: 'link', server: 'linear', outcome: 'ok', code: 'ok', owner: ada.owner.key },
    ]);
    expect(people.changed).toEqual([`linear ${ada.owner.key}`]);
  });

  test('asks whoever is not signed in to do that, and goes on from there', async () => {
    const ticket = await people.ticketFor(ada.owner);
    const browser = createHeadlessBrowser();
    const asked = pageOf(await browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(headingOf(asked)).toBe('Sign in first');
    expect(asked.html).toContain('Linear');
    const shown = pageOf(await people.signInFrom(browser, asked, 'ada@example.com'));
    expect(headingOf(shown)).toBe('Link Linear');
    expect(shown.url).toBe(`${people.origin}/link/linear?ticket=${ticket}`);
  });

  test('that somebody else opens is refused, and is not used up: A’s link never takes B’s account (R45)', async () => {
    const ticket = await people.ticketFor(ada.owner);
    const shown = pageOf(await bob.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(shown.status).toBe(403);
    expect(headingOf(shown)).toBe('This link is not for you');
    expect(shown.html).not.toContain('ada@example.com');
    expect(shown.html).not.toContain('<form');

    const own = pageOf(await bob.browser.open(`${people.origin}/link/linear`));
    const forced = pageOf(await bob.browser.submit(own, '/link/linear', { ticket }));
    expect(forced.status).toBe(403);
    expect(people.provider.asked).toEqual([]);
    const still = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(headingOf(still)).toBe('Link Linear');
  });

  test('works once', async () => {
    const ticket = await people.ticketFor(ada.owner);
    const page = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    locationOf(await ada.browser.submit(page, '/link/linear', {}));
    const again = pageOf(await ada.browser.submit(page, '/link/linear', {}));
    expect([again.status, headingOf(again)]).toEqual([410, 'This link is used up']);
    const opened = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(opened.status).toBe(410);
    expect(people.provider.asked).toEqual(['begin']);
  });

  test('of one server opens no other', async () => {
    const ticket = await people.ticketFor(ada.owner, 'exports');
    const page = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(page.status).toBe(410);
  });

  test('may be fetched by previews as often as they like: only the button uses it up', async () => {
    const ticket = await people.ticketFor(ada.owner);
    const url = `${people.origin}/link/linear?ticket=${ticket}`;
    const previews: readonly RequestInit[] = [
      {},
      { headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0' } },
      { method: 'HEAD' },
      { headers: { 'sec-purpose': 'prefetch' } },
      { headers: { cookie: ada.cookies() } },
    ];
    for (const init of previews) {
      await fetch(url, init);
    }
    expect(people.provider.asked).toEqual([]);
    expect(headingOf(pageOf(await ada.browser.open(url)))).toBe('Link Linear');
  });

  test('that is malformed is used up as well, whatever it holds', async () => {
    for (const ticket of [
      '',
      'x',
      '"><script>alert(1)</script>',
      'a'.repeat(5_000),
      '../../etc/passwd\u0000',
    ]) {
      const url = `${people.origin}/link/linear?${new URLSearchParams({ ticket })}`;
      const page = pageOf(await ada.browser.open(url));
      expect(page.status).toBe(410);
      expect(page.html).not.toContain('<script');
    }
  });
});

describe('the answer of the provider', () => {
  test('is taken from the browser that began alone (R45)', async () => {
    const back = await throughProvider(ada, await people.ticketFor(ada.owner));
    const stranger = createHeadlessBrowser();
    const refused = pageOf(await stranger.open(back));
    expect([refused.status, headingOf(refused)]).toEqual([403, 'This link was begun elsewhere']);
    expect(people.provider.asked).toEqual(['begin']);

    const bobs = pageOf(await bob.browser.open(back));
    expect([bobs.status, headingOf(bobs)]).toEqual([400, 'Linear was not linked']);

    const other = await people.signedIn('ada@example.com');
    const others = pageOf(await other.browser.open(back));
    expect(others.status).toBe(400);
    expect(headingOf(pageOf(await ada.browser.open(back)))).toBe('Link this account?');
  });

  test('is not taken twice', async () => {
    const back = await throughProvider(ada, await people.ticketFor(ada.owner));
    pageOf(await ada.browser.open(back));
    expect(pageOf(await ada.browser.open(back)).status).toBe(400);
    expect(people.records).toEqual([
      {
        action: 'answer',
        server: 'linear',
        outcome: 'refused',
        code: 'flow_of_another',
        owner: ada.owner.key,
      },
    ]);
  });

  test('in a frame, an image or a prefetch is refused before anything is asked', async () => {
    const back = await throughProvider(ada, await people.ticketFor(ada.owner));
    for (const [name, value] of [
      ['sec-fetch-dest', 'iframe'],
      ['sec-fetch-dest', 'image'],
      ['sec-purpose', 'prefetch;prerender'],
    ] as const) {
      const answer = await fetch(back, { headers: { cookie: ada.cookies(), [name]: value } });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
    }
    expect(people.provider.asked).toEqual(['begin']);
  });

  test('waits for whoever was signed out meanwhile', async () => {
    const person = await people.signedIn('ada@example.com');
    const back = await throughProvider(person, await people.ticketFor(person.owner));
    people.clock.advance(3_700_000);
    const asked = pageOf(await person.browser.open(back));
    expect(headingOf(asked)).toBe('Sign in first');
    people.clock.advance(-3_700_000);
    expect(people.provider.asked).toEqual(['begin']);
    const shown = pageOf(await people.signInFrom(person.browser, asked, 'ada@example.com'));
    expect(headingOf(shown)).toBe('Link this account?');
  });

  test('cannot bring markup: account, scopes, error and server name are text', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'\u202e';
    people.provider.account = evil;
    people.servers = people.servers.map((server) => ({ ...server, title: evil }));
    try {
      const ticket = await people.ticketFor(ada.owner);
      const page = pageOf(await ada.browser.open(`${people.origin}/link/linear?ticket=${ticket}`));
      const asked = pageOf(await ada.browser.open(await throughProvider(ada, ticket)));
      const done = pageOf(await ada.browser.submit(asked, '/link/linear/finish', {}));
      const list = pageOf(await ada.browser.open(`${people.origin}/link`));
      const failed = await throughProvider(ada, await people.ticketFor(ada.owner));
      const error = encodeURIComponent(evil);
      const refused = pageOf(await ada.browser.open(`${failed.replace(/code=[^&]*/, `error=${error}`)}`));
      for (const { html } of [page, asked, done, list, refused]) {
        expect(html).not.toContain('<img');
        expect(html).not.toContain('\u202e');
        expect(html).toContain('&lt;img');
      }
    } finally {
      people.servers = people.servers.map((server) => ({
        ...server,
        title: server.id === 'linear' ? 'Linear' : undefined,
      }));
    }
  });
});

describe('a link for the catalog, which the operator’s own command made', () => {
  test('needs nobody to sign in, serves no user, and is bound to the browser that used it', async () => {
    const owner = catalogOwner('linear');
    const ticket = await people.ticketFor(owner);
    const operator = createHeadlessBrowser();
    const page = pageOf(await operator.open(`${people.origin}/link/linear?ticket=${ticket}`));
    expect(page.html).toContain('No call of a user is made with it');
    const away = new URL(locationOf(await operator.submit(page, '/link/linear', {})));
    const back = `${people.origin}/link/linear/callback?code=x&state=${away.searchParams.get('state')}`;
    expect(pageOf(await createHeadlessBrowser().open(back)).status).toBe(403);
    expect(pageOf(await ada.browser.open(back)).status).toBe(400);
    const confirm = pageOf(await operator.open(back));
    const done = pageOf(await operator.submit(confirm, '/link/linear/finish', {}));
    expect(headingOf(done)).toBe('Linear is linked');
    expect([...people.provider.grants.keys()]).toEqual([`${owner.key} linear`]);
    // The pass is gone with it: this browser is nobody again.
    expect(headingOf(pageOf(await operator.open(back)))).toBe('Sign in first');
  });
});

describe('a form', () => {
  const forms: readonly (readonly [path: string, fields: Readonly<Record<string, string>>])[] = [
    ['/link/linear', {}],
    ['/link/linear/finish', { flow: 'x' }],
    ['/link/linear/unlink', {}],
    ['/sign-out', {}],
  ];

  /** The token of a form on the person's own page. */
  async function csrfOf(person: Person): Promise<string> {
    const { html } = pageOf(await person.browser.open(`${people.origin}/link`));
    return /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
  }
  const post = (path: string, fields: Readonly<Record<string, string>>, headers: Record<string, string>) =>
    fetch(people.origin + path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: people.origin, ...headers },
      redirect: 'manual',
    });

  test.each(forms)(
    'to %s counts only with the token of this browser and this person',
    async (path, fields) => {
      const cookie = ada.cookies();
      const own = await csrfOf(ada);
      const foreign = await csrfOf(bob);
      const refused = [
        await post(path, fields, { cookie }),
        await post(path, { ...fields, csrf: foreign }, { cookie }),
        await post(path, { ...fields, csrf: own }, {}),
        await post(path, { ...fields, csrf: own }, { cookie: bob.cookies() }),
        await post(path, { ...fields, csrf: own }, { cookie, origin: 'https://evil.example' }),
        await post(path, { ...fields, csrf: own }, { cookie, origin: 'http://127.0.0.1:9' }),
        await post(path, { ...fields, csrf: own }, { cookie, origin: 'null' }),
        await post(path, { ...fields, csrf: own }, { cookie, origin: 'https://claude.ai' }),
        await post(path, { ...fields, csrf: own }, { cookie, 'sec-fetch-site': 'cross-site' }),
        await post(path, { ...fields, csrf: own }, { cookie, 'sec-fetch-site': 'same-site' }),
        await post(path, { ...fields, csrf: own }, { cookie, 'sec-fetch-dest': 'iframe' }),
        await post(path, { ...fields, csrf: own }, { cookie, 'content-type': 'text/plain' }),
        await post(path, { ...fields, csrf: `${own}x` }, { cookie }),
      ];
      for (const answer of refused) {
        expect(answer.status).toBe(403);
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
        expect(await answer.text()).toContain('did not come from our page');
      }
      expect(people.provider.asked).toEqual([]);
    },
  );

  test('too large, or that names a field twice, is none', async () => {
    const cookie = ada.cookies();
    const csrf = await csrfOf(ada);
    for (const body of [`csrf=${csrf}&x=${'y'.repeat(20_000)}`, `csrf=${csrf}&csrf=${csrf}`]) {
      const answer = await fetch(`${people.origin}/link/linear`, {
        method: 'POST',
        body,
        headers: { cookie, origin: people.origin, 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(answer.status).toBe(403);
    }
  });
});

describe('every page', () => {
  test('runs nothing, loads nothing from elsewhere, stands in no frame, and is stored nowhere', async () => {
    const headers = { cookie: ada.cookies() };
    const ticket = await people.ticketFor(ada.owner);
    for (const path of [
      '/link',
      '/link/linear',
      `/link/linear?ticket=${ticket}`,
      '/link/nothing',
      '/link/a/b/c',
    ]) {
      const answer = await fetch(people.origin + path, { headers });
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain(`default-src 'none'`);
      expect(policy).toContain(`frame-ancestors 'none'`);
      expect(policy).not.toMatch(/script|unsafe|frame-src/);
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('referrer-policy')).toBe('same-origin');
      const html = await answer.text();
      expect(html).toContain('<html lang="en">');
      expect(html).not.toMatch(/<script|\sstyle=|\son[a-z]+=/);
    }
  });

  test('is in the way of no script of another origin', async () => {
    const answer = await fetch(`${people.origin}/link`, { headers: { origin: 'https://claude.ai' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${people.origin}/link`, {
      method: 'OPTIONS',
      headers: { origin: 'https://claude.ai', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(405);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});
