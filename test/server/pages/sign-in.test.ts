import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { Secret } from '#kernel/secret.ts';
import { headingOf, locationOf, openPeople, type People, pageOf } from './people.ts';

let people: People;
beforeAll(async () => {
  people = await openPeople();
});
afterAll(() => people[Symbol.asyncDispose]());

/** To the issuer and back, up to the callback's URL. */
async function answerFor(
  of: People,
  browser: ReturnType<typeof createHeadlessBrowser>,
  email: string,
  next = '',
) {
  const away = locationOf(await browser.open(`${of.origin}/sign-in${next}`));
  const back = await signUpHeadlessly({ authorizationUrl: away, email, readLink: of.demo.inbox.readLink });
  return { away: new URL(away), back };
}

describe('signing in', () => {
  test('asks with PKCE, state and the gateway as resource, as the client that its own document describes', async () => {
    const browser = createHeadlessBrowser();
    const { away, back } = await answerFor(people, browser, 'ada@example.com');
    const asked = Object.fromEntries(away.searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: `${people.origin}/.well-known/oauth-client/sign-in.json`,
      redirect_uri: `${people.origin}/sign-in/callback`,
      code_challenge_method: 'S256',
      resource: `${people.origin}/mcp`,
    });
    const document = await fetch(asked.client_id ?? '');
    expect(await document.json()).toEqual({
      client_id: asked.client_id,
      client_name: 'Cortex',
      redirect_uris: [asked.redirect_uri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    });
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('Your accounts');
  });

  test('leaves a cookie that no script reads, that tells nothing, and that is good for an hour', async () => {
    const browser = createHeadlessBrowser();
    const first = await fetch(`${people.origin}/link`);
    const [browserCookie = ''] = first.headers.getSetCookie();
    expect(browserCookie).toMatch(/^cortex-browser-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    const { back } = await answerFor(people, browser, 'ada@example.com');
    const stranger = await fetch(back, { redirect: 'manual', headers: { cookie: browserCookie } });
    expect(stranger.status).toBe(400);
    expect(stranger.headers.getSetCookie()).toEqual([]);

    const ada = await people.signedIn('ada@example.com');
    expect(ada.cookies()).toMatch(/cortex-session-\d+=[\w-]+/);
    expect(ada.cookies()).not.toMatch(/eyJ|ada/);
    people.clock.advance(3_599_000);
    expect(headingOf(pageOf(await ada.browser.open(`${people.origin}/link`)))).toBe('Your accounts');
    people.clock.advance(2_000);
    expect(headingOf(pageOf(await ada.browser.open(`${people.origin}/link`)))).toBe('Sign in first');
    people.clock.advance(-3_601_000);
  });

  test('lasts no longer than the token that it came with', async () => {
    await using other = await openPeople({
      authorizationServer: () => ({ limits: { accessTokenSeconds: 300 } }),
    });
    const ada = await other.signedIn('ada@example.com');
    expect(headingOf(pageOf(await ada.browser.open(`${other.origin}/link`)))).toBe('Your accounts');
    other.clock.advance(301_000);
    expect(headingOf(pageOf(await ada.browser.open(`${other.origin}/link`)))).toBe('Sign in first');
  });

  test('ends in the browser that began it alone: nobody is signed in as somebody else by a link', async () => {
    const { back } = await answerFor(people, createHeadlessBrowser(), 'mallory@example.com');
    const victim = createHeadlessBrowser();
    await victim.open(`${people.origin}/link`);
    const refused = pageOf(await victim.open(back.href));
    expect([refused.status, headingOf(refused)]).toEqual([400, 'This sign-in was not begun here']);
    expect(headingOf(pageOf(await victim.open(`${people.origin}/link`)))).toBe('Sign in first');
  });

  test('is over after ten minutes, and its code works once', async () => {
    const browser = createHeadlessBrowser();
    const { back } = await answerFor(people, browser, 'ada@example.com');
    people.clock.advance(601_000);
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('That took too long');
    people.clock.advance(-601_000);
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('Your accounts');
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('Sign-in does not work');
  });

  test('takes no answer of another issuer, and none with a changed or missing state', async () => {
    const browser = createHeadlessBrowser();
    const { back } = await answerFor(people, browser, 'ada@example.com');
    const changes: readonly ((url: URL) => void)[] = [
      (url) => url.searchParams.set('iss', 'https://evil.example'),
      (url) => url.searchParams.delete('iss'),
      (url) => url.searchParams.set('state', `${url.searchParams.get('state')}x`),
      (url) => url.searchParams.delete('state'),
      (url) => url.searchParams.append('state', 'x'),
    ];
    for (const change of changes) {
      const url = new URL(back);
      change(url);
      const refused = pageOf(await browser.open(url.href));
      expect([refused.status, headingOf(refused)]).toEqual([400, 'This sign-in was not begun here']);
    }
  });

  test('that the person declines says so', async () => {
    const browser = createHeadlessBrowser();
    const away = locationOf(await browser.open(`${people.origin}/sign-in`));
    const back = await signUpHeadlessly({
      authorizationUrl: away,
      email: 'ada@example.com',
      readLink: people.demo.inbox.readLink,
      decision: 'deny',
    });
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('You were not signed in');
  });

  test.each([
    ['https://evil.example', '/link'],
    ['//evil.example', '/link'],
    ['/\\evil.example', '/link'],
    ['/link/../../evil', '/link'],
    ['/link/linear\\@evil.example', '/link'],
    ['/link/linear?x=1#y', '/link'],
    ['javascript:alert(1)', '/link'],
    ['/mcp', '/link'],
    ['/sign-out', '/link'],
    ['/link/linear?ticket=abc', '/link/linear?ticket=abc'],
    ['/link/linear', '/link/linear'],
  ])('goes on to %s only if it is a page of ours', async (next, expected) => {
    const begun = await people.signIn.begin('browser', '/link');
    if (!begun.ok) throw new Error(begun.error);
    const browser = createHeadlessBrowser(async (url, init) => {
      const answer = await fetch(url, init);
      const location = answer.headers.get('location');
      // One hop is enough to see where it leads.
      if (url.includes('/sign-in/callback') && location !== null)
        return new Response(location, { headers: { 'content-type': 'text/plain' } });
      return answer;
    });
    const { back } = await answerFor(people, browser, 'ada@example.com', `?${new URLSearchParams({ next })}`);
    expect(pageOf(await browser.open(back.href)).html).toBe(expected);
  });

  test('is slowed down where somebody begins it again and again', async () => {
    await using other = await openPeople({ countsNetworks: true });
    let status = 0;
    for (let tries = 0; tries < 40 && status !== 429; tries += 1) {
      status = (await fetch(`${other.origin}/sign-in`, { redirect: 'manual' })).status;
    }
    expect(status).toBe(429);
  });
});

describe('a session', () => {
  test('counts in its own browser, and for its own gateway, alone', async () => {
    const [ada, bob] = [await people.signedIn('ada@example.com'), await people.signedIn('bob@example.com')];
    const part = (cookies: string, kind: string) =>
      cookies.split('; ').find((cookie) => cookie.startsWith(`cortex-${kind}`)) ?? '';
    const mixed = `${part(bob.cookies(), 'browser')}; ${part(ada.cookies(), 'session')}`;
    const answer = await fetch(`${people.origin}/link`, { headers: { cookie: mixed } });
    expect(await answer.text()).toContain('Sign in first');

    const changed = ada.cookies().replace(/(session-\d+=.{20})./, '$1A');
    const forged = await fetch(`${people.origin}/link`, { headers: { cookie: changed } });
    expect(await forged.text()).toContain('Sign in first');
  });
});

describe('as a client of its issuer, the gateway', () => {
  test('registers where there are no client documents, remembers that sealed, and again where it was forgotten', async () => {
    await using other = await openPeople({ authorizationServer: () => ({ fetchDocument: undefined }) });
    const browser = createHeadlessBrowser();
    const { away, back } = await answerFor(other, browser, 'ada@example.com');
    const id = away.searchParams.get('client_id') ?? '';
    expect(id).not.toContain('://');
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('Your accounts');
    const again = new URL(locationOf(await browser.open(`${other.origin}/sign-in`)));
    expect(again.searchParams.get('client_id')).toBe(id);
    const [sealed = ''] = other.registrations.values();
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain(id);

    other.registrations.clear();
    const fresh = new URL(locationOf(await browser.open(`${other.origin}/sign-in`)));
    expect(fresh.searchParams.get('client_id')).not.toBe(id);
  });

  test('uses the client it was given, with its secret', async () => {
    const secret = 'a secret: with/odd+characters-%';
    const listed = {
      clientId: 'cortex',
      name: 'Cortex',
      secret: new Secret(secret),
      isResourceServer: false,
    };
    const given = { clientId: 'cortex', clientSecret: new Secret(secret) };
    await using other = await openPeople({
      options: given,
      authorizationServer: (origin) => ({
        clients: [{ ...listed, redirectUris: [`${origin}/sign-in/callback`], exchangeAudiences: [] }],
      }),
    });
    const browser = createHeadlessBrowser();
    const { away, back } = await answerFor(other, browser, 'ada@example.com');
    expect(away.searchParams.get('client_id')).toBe('cortex');
    expect(headingOf(pageOf(await browser.open(back.href)))).toBe('Your accounts');
  });

  test('says nothing of a resource to an issuer that refuses to hear it', async () => {
    await using other = await openPeople({ options: { resource: undefined } });
    const away = new URL(locationOf(await createHeadlessBrowser().open(`${other.origin}/sign-in`)));
    expect(away.searchParams.has('resource')).toBe(false);
    expect(away.searchParams.get('code_challenge_method')).toBe('S256');
  });

  test('takes in nobody whom it would not admit at /mcp: another audience, another issuer', async () => {
    await using other = await openPeople({
      auth: { issuers: [{ url: 'http://127.0.0.1:9' }] },
    });
    const browser = createHeadlessBrowser();
    const { back } = await answerFor(other, browser, 'ada@example.com');
    const refused = pageOf(await browser.open(back.href));
    expect([refused.status, headingOf(refused)]).toEqual([400, 'You may not come in here']);
    expect(other.log.events.find(({ event }) => event === 'sign_in.token_refused')?.fields.reason).toBe(
      'issuer_unknown',
    );
    expect(headingOf(pageOf(await browser.open(`${other.origin}/link`)))).toBe('Sign in first');
  });

  test('says so while its issuer is away', async () => {
    await using other = await openPeople({ options: { issuer: 'http://127.0.0.1:9' } });
    const page = pageOf(await createHeadlessBrowser().open(`${other.origin}/sign-in`));
    expect([page.status, headingOf(page)]).toEqual([503, 'Sign-in is not available right now']);
  });
});
