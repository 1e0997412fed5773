import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeadlessBrowser, Page, Visit } from '#demo/headless-browser.ts';
import { silentLog } from '#kernel/log.ts';
import { type Demo, issuer, startDemo } from './demo-fixture.ts';

let demo: Demo;
let browser: HeadlessBrowser;
beforeEach(async () => {
  demo = await startDemo();
  browser = demo.browser();
});
afterEach(() => demo.server.close());

function pageOf(visit: Visit): Page {
  if (visit.kind === 'left') throw new Error(`Left to ${visit.location}`);
  return visit.page;
}
const ask = async (email: string, who = browser, next = '') =>
  pageOf(
    await who.submit(
      pageOf(await who.open(`${issuer}/sign-in?next=${encodeURIComponent(next)}`)),
      '/sign-in',
      { email },
    ),
  );
const pathOf = (visit: Visit) => new URL(pageOf(visit).url).pathname;

describe('signing in by mail', () => {
  it('ends signed in at the account page', async () => {
    await ask('Ada@Example.com ');
    const confirm = pageOf(await browser.open(await demo.inbox.readLink('ada@example.com')));
    const account = pageOf(await browser.submit(confirm, '/sign-in/link', {}));
    expect(new URL(account.url).pathname).toBe('/account');
    expect(account.html).toContain('ada@example.com');
  });

  it('uses nothing up when the link is only fetched, as previews do', async () => {
    await ask('ada@example.com');
    const link = await demo.inbox.readLink('ada@example.com');
    for (let fetches = 0; fetches < 3; fetches += 1) expect((await demo.send(link)).status).toBe(400);
    const pages = [pageOf(await browser.open(link)), pageOf(await browser.open(link))];
    expect(pages.map((page) => page.status)).toEqual([200, 200]);
    expect(
      pathOf(await browser.submit(pages[0] ?? pageOf(await browser.open(link)), '/sign-in/link', {})),
    ).toBe('/account');
  });

  it('refuses a link in another browser, and leaves it good in its own', async () => {
    await ask('ada@example.com');
    const link = await demo.inbox.readLink('ada@example.com');
    const other = demo.browser();
    const own = pageOf(await other.open(`${issuer}/sign-in`));
    expect(pageOf(await other.open(link)).status).toBe(400);
    const token = new URL(link).searchParams.get('token') ?? '';
    const page = { ...own, html: own.html.replaceAll('action="/sign-in"', 'action="/sign-in/link"') };
    expect(pageOf(await other.submit(page, '/sign-in/link', { token })).status).toBe(400);

    expect(pathOf(await browser.submit(pageOf(await browser.open(link)), '/sign-in/link', {}))).toBe(
      '/account',
    );
  });

  it('takes a link once', async () => {
    await ask('ada@example.com');
    const confirm = pageOf(await browser.open(await demo.inbox.readLink('ada@example.com')));
    const again = pageOf(await browser.open(await demo.inbox.readLink('ada@example.com')));
    await browser.submit(confirm, '/sign-in/link', {});
    expect(pageOf(await browser.open(await demo.inbox.readLink('ada@example.com'))).status).toBe(400);
    // Signing in changed the cookie, so the second post is refused before the link is even looked at.
    expect(pageOf(await browser.submit(again, '/sign-in/link', {})).status).toBe(403);
  });

  it('lets one of two posts at the same time have the link', async () => {
    const cookie = (await demo.send(`${issuer}/sign-in`)).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const html = await (await demo.send(`${issuer}/sign-in`, { headers: { cookie } })).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    await demo.send(`${issuer}/sign-in`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({ csrf, email: 'ada@example.com' }),
    });
    const token = new URL(await demo.inbox.readLink('ada@example.com')).searchParams.get('token') ?? '';
    const post = () =>
      demo.send(`${issuer}/sign-in/link`, {
        method: 'POST',
        headers: { cookie },
        body: new URLSearchParams({ csrf, token }),
      });
    const statuses = (await Promise.all([post(), post(), post()])).map((answer) => answer.status).sort();
    expect(statuses).toEqual([303, 400, 400]);
  });

  it('refuses a link after 15 minutes', async () => {
    await ask('ada@example.com');
    demo.clock.advance(15 * 60);
    expect(pageOf(await browser.open(await demo.inbox.readLink('ada@example.com'))).status).toBe(400);
  });

  it('ends the session after 12 hours', async () => {
    await ask('ada@example.com');
    const confirm = pageOf(await browser.open(await demo.inbox.readLink('ada@example.com')));
    await browser.submit(confirm, '/sign-in/link', {});
    demo.clock.advance(12 * 3_600);
    expect(pathOf(await browser.open(`${issuer}/account`))).toBe('/sign-in');
  });

  it('never goes on to another place than its own', async () => {
    const places = [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      '/authorize/../..//evil.test',
      'javascript:1',
    ];
    for (const [index, next] of places.entries()) {
      const who = demo.browser();
      const email = `u${index}@example.com`;
      await ask(email, who, next);
      const visit = await who.submit(
        pageOf(await who.open(await demo.inbox.readLink(email))),
        '/sign-in/link',
        {},
      );
      expect(pathOf(visit), next).toBe('/account');
    }
  });

  it('changes the cookie at sign-in, so that a planted one is worth nothing', async () => {
    const planted = (await demo.send(`${issuer}/sign-in`)).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(planted).toMatch(/^cortex-demo=/);
    const post = (path: string, form: Record<string, string>) =>
      demo.send(`${issuer}${path}`, {
        method: 'POST',
        headers: { cookie: planted },
        body: new URLSearchParams(form),
      });
    const html = await (await demo.send(`${issuer}/sign-in`, { headers: { cookie: planted } })).text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    await post('/sign-in', { csrf, email: 'ada@example.com' });
    const token = new URL(await demo.inbox.readLink('ada@example.com')).searchParams.get('token') ?? '';
    const signedIn = await post('/sign-in/link', { csrf, token });
    const own = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await demo.send(`${issuer}/account`, { headers: { cookie: own } })).status).toBe(200);
    const attacker = await demo.send(`${issuer}/account`, { headers: { cookie: planted } });
    expect(attacker.headers.get('location')).toBe('/sign-in');
  });
});

describe('the sign-in form', () => {
  it('refuses a post without its token, without its cookie, or from another origin', async () => {
    const first = await demo.send(`${issuer}/sign-in`);
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const csrf = /name="csrf" value="([^"]+)"/.exec(await first.text())?.[1] ?? '';
    const post = (form: Record<string, string>, headers: Record<string, string>) =>
      demo.send(`${issuer}/sign-in`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ email: 'a@b.cd', ...form }),
      });
    expect((await post({}, { cookie })).status).toBe(403);
    expect((await post({ csrf }, {})).status).toBe(403);
    expect((await post({ csrf: `${csrf.slice(1)}A` }, { cookie })).status).toBe(403);
    expect((await post({ csrf }, { cookie, origin: 'https://evil.test' })).status).toBe(403);
    expect((await post({ csrf }, { cookie, origin: 'null' })).status).toBe(403);
    expect((await post({ csrf }, { cookie, origin: issuer })).status).toBe(200);
  });

  it('says what is wrong with an address, and sends nothing to one it cannot use', async () => {
    for (const email of [
      'ada',
      'ada@',
      '@b.cd',
      'a@b',
      'ada@example.com\r\nBcc: eve@evil.test',
      `${'x'.repeat(255)}@b.cd`,
    ]) {
      const page = await ask(email);
      expect(page.status).toBe(400);
      expect(page.html).toContain('aria-invalid="true"');
    }
  });

  it('answers a program that fills the hidden field like everybody, and sends no mail', async () => {
    const page = pageOf(await browser.open(`${issuer}/sign-in`));
    const answer = pageOf(
      await browser.submit(page, '/sign-in', { email: 'bot@example.com', website: 'http://spam.test' }),
    );
    expect(answer.status).toBe(200);
    expect(answer.html).toContain('Check your mail');
    await expect(demo.inbox.readLink('bot@example.com', 20)).rejects.toThrow('No sign-in link');
  });

  it('answers the same whether or not the address has an account', async () => {
    await ask('ada@example.com');
    await browser.submit(
      pageOf(await browser.open(await demo.inbox.readLink('ada@example.com'))),
      '/sign-in/link',
      {},
    );
    const known = await ask('ada@example.com', demo.browser());
    const unknown = await ask('bob@example.com', demo.browser());
    expect(unknown.html.replaceAll('bob@', 'ada@')).toBe(known.html);
  });

  it('sends five links an hour to one address', async () => {
    for (let sent = 0; sent < 5; sent += 1)
      expect((await ask('ada@example.com', demo.browser())).status).toBe(200);
    expect((await ask('ada@example.com', demo.browser())).status).toBe(429);
    expect((await ask('bob@example.com', demo.browser())).status).toBe(200);
    demo.clock.advance(3_600);
    expect((await ask('ada@example.com', demo.browser())).status).toBe(200);
  });

  it('sends twenty links an hour for one address range, whatever the addresses in it', async () => {
    const own = demo.browser();
    for (let sent = 0; sent < 20; sent += 1)
      expect((await ask(`u${sent}@example.com`, own)).status).toBe(200);
    const limited = await ask('more@example.com', own);
    expect(limited.status).toBe(429);
  });

  it('takes no more users than it may', async () => {
    const small = await startDemo({ limits: { maxUsers: 1 } });
    const id = await small.register();
    expect((await small.tokens(id)).status).toBe(200);
    await expect(small.tokens(id, {}, { email: 'bob@example.com' })).rejects.toThrow();
    expect((await small.tokens(id)).status).toBe(200);
    small.server.close();
  });

  it('keeps the way back to the application when another address is used', async () => {
    const next = '/authorize?client_id=x&state="y"';
    const sent = await ask('typo@example.com', browser, next);
    const href = /href="(\/sign-in\?[^"]*)"/.exec(sent.html)?.[1] ?? '';
    const again = pageOf(await browser.open(`${issuer}${href}`));
    expect(again.html).toContain('value="/authorize?client_id=x&amp;state=&quot;y&quot;"');
  });

  it('says so when the mail cannot be sent, and logs no address', async () => {
    const logged: unknown[] = [];
    const failure = Object.assign(new Error('550 no mailbox ada@example.com'), { code: 'EENVELOPE' });
    const broken = await startDemo({
      mailer: { send: () => Promise.reject(failure) },
      log: { ...silentLog, error: (...entry) => logged.push(entry) },
    });
    const who = broken.browser();
    const form = pageOf(await who.open(`${issuer}/sign-in`));
    expect(pageOf(await who.submit(form, '/sign-in', { email: 'ada@example.com' })).status).toBe(503);
    expect(logged).toEqual([['demo.mail_failed', { cause: 'EENVELOPE' }]]);
    broken.server.close();
  });

  it('sets a __Host- cookie that scripts cannot read where the issuer is https', async () => {
    const secure = await startDemo({ issuer: 'https://auth.test' });
    const answer = await secure.send('https://auth.test/sign-in');
    const cookie = answer.headers.getSetCookie()[0] ?? '';
    expect(cookie).toMatch(/^__Host-cortex-demo=/);
    for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/'])
      expect(cookie).toContain(attribute);
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
    secure.server.close();
  });
});
