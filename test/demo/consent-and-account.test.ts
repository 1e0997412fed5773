import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createHeadlessBrowser,
  type HeadlessBrowser,
  type Page,
  type Visit,
} from '#demo/headless-browser.ts';
import { authorizationUrl, basic, type Demo, issuer, startDemo } from './demo-fixture.ts';

let demo: Demo;
let browser: HeadlessBrowser;
let clientId: string;
beforeEach(async () => {
  demo = await startDemo();
  browser = demo.browser();
  clientId = await demo.register();
});
afterEach(() => demo.server.close());

function pageOf(visit: Visit): Page {
  if (visit.kind === 'left') throw new Error(`Left to ${visit.location}`);
  return visit.page;
}
const signIn = (who = browser) => demo.authorize({ client_id: clientId }, { browser: who, decision: 'deny' });
const openConsent = async (parameters: Record<string, string> = {}) =>
  pageOf(await browser.open(authorizationUrl({ client_id: clientId, ...parameters })));

describe('the consent page', () => {
  it('names the client, the host it sends the browser to, the scopes, and what another plan would add', async () => {
    await signIn();
    const { html } = await openConsent();
    for (const text of [
      'Test client',
      '127.0.0.1:41000',
      'Read your notes',
      'ada@example.com',
      'Export your invoices',
    ])
      expect(html).toContain(text);
    expect(html.indexOf('Export your invoices')).toBeGreaterThan(html.indexOf('once your plan includes it'));
  });

  it('is asked again every time', async () => {
    await demo.authorize({ client_id: clientId }, { browser });
    expect((await openConsent()).html).toContain('Allow Test client?');
  });

  it('shows a hostile client name as text', async () => {
    clientId = await demo.register({ client_name: '<script>alert(1)</script>\u202e"onload=' });
    await signIn();
    const { html } = await openConsent({ state: '"><img src=x>' });
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('<img');
    expect(html).not.toContain('\u202e');
    expect(html).toContain('&lt;script&gt;');
  });

  it('shows the host that a self-described client lives at', async () => {
    const url = 'https://app.test/client.json';
    const documents = await startDemo({
      fetchDocument: async () => ({
        ok: true,
        value: {
          maxAgeSeconds: undefined,
          body: { client_id: url, client_name: 'App', redirect_uris: ['https://app.test/cb'] },
        },
      }),
    });
    const who = documents.browser();
    await documents.authorize({ client_id: url, redirect_uri: 'https://app.test/cb' }, { browser: who });
    const visit = await who.open(authorizationUrl({ client_id: url, redirect_uri: 'https://app.test/cb' }));
    expect(pageOf(visit).html).toContain('<dd>app.test</dd>');
    documents.server.close();
  });

  it('names the app that opens a scheme in words', async () => {
    clientId = await demo.register({ redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'] });
    const parameters = { redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' };
    await demo.authorize({ client_id: clientId, ...parameters }, { browser, decision: 'deny' });
    const { html } = await openConsent(parameters);
    expect(html).toContain('<dd>the app that opens cursor: links</dd>');
    expect(html).toContain('the app that opens cursor: links on this device');
  });

  it('takes no answer that did not come from its own form', async () => {
    await signIn();
    const page = await openConsent();
    const forged = await browser.submit(page, '/authorize', { decision: 'allow', csrf: 'x'.repeat(43) });
    expect(pageOf(forged).status).toBe(403);

    const stranger = demo.browser();
    await signIn(stranger);
    expect(pageOf(await stranger.submit(page, '/authorize', { decision: 'allow' })).status).toBe(403);
    const nobody = demo.browser();
    expect(pageOf(await nobody.submit(page, '/authorize', { decision: 'allow' })).status).toBe(403);
  });

  it('checks the request once more when the answer comes', async () => {
    await signIn();
    const page = await openConsent();
    const query = new URL(
      authorizationUrl({ client_id: clientId, redirect_uri: 'https://evil.test/' }),
    ).search.slice(1);
    const visit = await browser.submit(page, '/authorize', { decision: 'allow', request: query });
    expect(pageOf(visit).status).toBe(400);
  });

  it('takes everything but allow as no', async () => {
    await signIn();
    const visit = await browser.submit(await openConsent(), '/authorize', { decision: 'maybe' });
    expect(visit.kind === 'left' && new URL(visit.location).searchParams.get('error')).toBe('access_denied');
  });
});

describe('the headers of a page', () => {
  it('forbid framing, scripts, storing, and forms to elsewhere', async () => {
    for (const path of ['/sign-in', '/sign-in/link?token=x', '/authorize']) {
      const { headers } = await demo.send(`${issuer}${path}`);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("form-action 'self';");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
  });

  it.each([
    ['cursor://a.b/cb', 'cursor:'],
    ['https://a.test/cb', 'https:'],
    ['http://localhost:8787/cb', 'http://localhost:8787 https:'],
    ['http://[::1]:8787/cb', 'http: https:'],
  ])('let the consent form end at %s, by way of %s alone', async (uri, target) => {
    clientId = await demo.register({ redirect_uris: [uri] });
    const parameters = { client_id: clientId, redirect_uri: uri };
    let policy: string | null = null;
    const observer = createHeadlessBrowser(async (url, init) => {
      const answer = await demo.send(url, init);
      policy = answer.headers.get('content-security-policy');
      return answer;
    });
    await demo.authorize(parameters, { browser: observer, decision: 'deny' });
    await observer.open(authorizationUrl(parameters));
    expect(policy).toContain(`form-action 'self' ${target};`);
  });
});

describe('the account page', () => {
  it('asks strangers to sign in', async () => {
    expect((await demo.send(`${issuer}/account`)).headers.get('location')).toBe('/sign-in');
    expect((await demo.send(`${issuer}/`)).headers.get('location')).toBe('/account');
  });

  it('switches the plan, which the next refresh shows', async () => {
    const tokens = await demo.tokens(clientId, {}, { browser });
    const account = pageOf(await browser.open(`${issuer}/account`));
    expect(account.html).toContain('Switch to pro');
    const changed = pageOf(await browser.submit(account, '/account/plan', {}));
    expect(changed.html).toContain('Switch to free');
    const refreshed = await demo.post('/token', {
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: tokens.text('refresh_token'),
    });
    expect(refreshed.text('scope')).toContain('mcp:billing:export');
  });

  it('takes no plan that does not exist', async () => {
    await signIn();
    const account = pageOf(await browser.open(`${issuer}/account`));
    const same = pageOf(await browser.submit(account, '/account/plan', { plan: 'gold' }));
    expect(same.html).toContain('Switch to pro');
  });

  it('disconnects an application at once', async () => {
    const tokens = await demo.tokens(clientId, {}, { browser });
    const account = pageOf(await browser.open(`${issuer}/account`));
    expect(account.html).toContain('Disconnect Test client');
    const after = pageOf(await browser.submit(account, '/account/disconnect', {}));
    expect(after.html).toContain('None yet.');
    const state = await demo.post('/introspect', { token: tokens.text('access_token') }, basic);
    expect(state.body).toEqual({ active: false });
  });

  it("does not disconnect another user's application", async () => {
    const tokens = await demo.tokens(clientId, {}, { browser });
    const grant =
      /name="grant" value="([^"]+)"/.exec(pageOf(await browser.open(`${issuer}/account`)).html)?.[1] ?? '';
    const eve = demo.browser();
    await demo.tokens(clientId, {}, { browser: eve, email: 'eve@example.com' });
    await eve.submit(pageOf(await eve.open(`${issuer}/account`)), '/account/disconnect', { grant });
    const state = await demo.post('/introspect', { token: tokens.text('access_token') }, basic);
    expect(state.body.active).toBe(true);
  });

  it('refuses forged forms', async () => {
    await signIn();
    const account = pageOf(await browser.open(`${issuer}/account`));
    expect(pageOf(await browser.submit(account, '/account/plan', { csrf: 'x'.repeat(43) })).status).toBe(403);
    expect(pageOf(await browser.submit(account, '/account/sign-out', { csrf: '' })).status).toBe(403);
    expect(pageOf(await browser.open(`${issuer}/account`)).html).toContain('Switch to pro');
  });

  it('signs out', async () => {
    await signIn();
    await browser.submit(pageOf(await browser.open(`${issuer}/account`)), '/account/sign-out', {});
    expect(new URL(pageOf(await browser.open(`${issuer}/account`)).url).pathname).toBe('/sign-in');
  });
});
