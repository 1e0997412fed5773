import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { chromiumPath, chromiumReason } from './chromium.ts';

if (chromiumReason !== undefined) console.log(`an operator's browser is not attacked: ${chromiumReason}`);

const token = 'a-token-of-43-characters-0123456789-01234567';

interface Seen {
  readonly path: string;
  readonly origin: string | null;
  readonly cookie: string | null;
  readonly status: number;
}

describe.skipIf(chromiumPath === undefined)('an operator’s real browser', () => {
  const owned = new AsyncDisposableStack();
  const seen: Seen[] = [];
  const atNeighbour: (string | null)[] = [];
  let running: RunningGateway;
  let browser: Browser;
  let context: BrowserContext;
  let own: Page;
  let origin = '';
  let port = 0;
  let csrf = '';

  /** A server of somebody else's on this machine; by `localhost` another site, by the address another port. */
  function startNeighbour(): number {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        atNeighbour.push(request.headers.get('cookie'));
        return new Response('<!doctype html><title>x</title>', { headers: { 'content-type': 'text/html' } });
      },
    });
    owned.defer(() => server.stop(true));
    return server.port ?? 0;
  }

  beforeAll(async () => {
    running = owned.use(
      await runGateway({
        config: { admin: { listen: '127.0.0.1:0', tokens: { ops: { token, role: 'operate' } } } },
      }),
    );
    // The listener, with a page beside it as the console will be one.
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/console') {
          return new Response('<!doctype html><title>c</title>', {
            headers: { 'content-type': 'text/html' },
          });
        }
        const response = await running.gateway.admin.fetch(request);
        const { headers } = request;
        seen.push({
          path: pathname,
          origin: headers.get('origin'),
          cookie: headers.get('cookie'),
          status: response.status,
        });
        return response;
      },
    });
    owned.defer(() => server.stop(true));
    port = server.port ?? 0;
    origin = `http://127.0.0.1:${port}`;
    browser = await chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });
    owned.defer(() => browser.close());
    context = await browser.newContext();
    own = await context.newPage();
    await own.goto(`${origin}/console`);
    csrf = await own.evaluate(async (given) => {
      const headers = { authorization: `Bearer ${given}` };
      const answer = await fetch('/admin/session', { method: 'POST', headers });
      return String((await answer.json()).csrf);
    }, token);
  });
  afterAll(() => owned.disposeAsync());

  const poll = (page: Page, headers: Readonly<Record<string, string>>) =>
    page.evaluate(
      async (given) => (await fetch('/admin/poll', { method: 'POST', headers: given })).status,
      headers,
    );
  const polls = () => running.acts().filter(({ action }) => action === 'catalog.poll').length;

  test('acts from its own page, with what no script could read in the cookie', async () => {
    expect(await own.evaluate('document.cookie')).toBe('');
    expect(await poll(own, { 'x-cortex-csrf': csrf })).toBe(200);
    expect(await poll(own, {})).toBe(403);
  });

  test.each([
    ['another site', 'localhost', false],
    ['another port of the same address, which is the same site and gets the cookie', '127.0.0.1', true],
  ])('is made to do nothing by a page of %s', async (_what, host, isSent) => {
    const page = await context.newPage();
    await page.goto(`http://${host}:${startNeighbour()}/`);
    const before = polls();
    seen.length = 0;
    await page.evaluate(async (target) => {
      const blind = { mode: 'no-cors', credentials: 'include' } as const;
      await fetch(`${target}/admin/poll`, { ...blind, method: 'POST', body: '{}' }).catch(() => {});
      await fetch(`${target}/admin/status`, blind).catch(() => {});
      await fetch(`${target}/admin/session`, { credentials: 'include' }).catch(() => {});
      const image = new Image();
      const loaded = new Promise((resolve) => {
        image.onerror = resolve;
        image.onload = resolve;
        setTimeout(resolve, 2_000);
      });
      image.src = `${target}/admin/catalog`;
      await loaded;
    }, origin);
    await page.evaluate((target) => {
      const form = document.createElement('form');
      form.method = 'post';
      form.action = `${target}/admin/poll`;
      document.body.append(form);
      // After this is answered: what it answers to is gone with the page.
      setTimeout(() => form.submit(), 0);
    }, origin);
    // A page that is closed on its way elsewhere keeps Chromium from closing it.
    await page.waitForURL(`${origin}/admin/poll`);
    await expect.poll(() => seen.filter(({ path }) => path === '/admin/poll').length).toBe(2);
    expect(polls()).toBe(before);
    expect(seen.length).toBeGreaterThanOrEqual(4);
    for (const { status } of seen) expect([401, 403]).toContain(status);
    expect(seen.some(({ cookie }) => cookie !== null)).toBe(isSent);
    await page.close();
  });

  test('that visits a neighbour gives away a cookie that is worth nothing without what the page keeps', async () => {
    const page = await context.newPage();
    atNeighbour.length = 0;
    await page.goto(`http://127.0.0.1:${startNeighbour()}/`);
    const cookie = atNeighbour.find((sent) => sent !== null) ?? '';
    expect(cookie).toContain(`cortex-admin-${port}=`);
    for (const path of ['/admin/session', '/admin/status', '/admin/catalog', '/readyz']) {
      const stolen = await fetch(`${origin}${path}`, { headers: { cookie } });
      expect([stolen.status, await stolen.json()]).toMatchObject([403, { reason: 'csrf_refused' }]);
    }
    expect((await fetch(`${origin}/admin/poll`, { method: 'POST', headers: { cookie } })).status).toBe(403);
    await page.close();
  });

  test('cannot be led there under another name: the listener does not answer to it', async () => {
    const page = await context.newPage();
    // Chromium resolves every name below localhost to this machine, as an attacker's name server would.
    const answer = await page.goto(`http://attacker.localhost:${port}/admin/status`);
    expect(answer?.status()).toBe(403);
    expect(await answer?.json()).toMatchObject({ reason: 'host_refused' });
    await page.close();
  });
});
