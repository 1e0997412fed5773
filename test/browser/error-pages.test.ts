import { source as axeSource } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPeople, type People } from '../server/pages/people.ts';
import { chromiumPath, chromiumReason } from './chromium.ts';

if (chromiumReason !== undefined) console.log(`the pages of errors are not looked at: ${chromiumReason}`);

/** Every way to a page that says no: at the gateway, and at the demo's authorization server. */
const opened: readonly (readonly [at: 'origin' | 'issuer', path: string, status: number, title: string])[] = [
  // First, while the browser is a stranger.
  ['origin', '/link/linear/callback?code=x&state=y', 403, 'This link was begun elsewhere'],
  ['origin', '/mcp', 401, 'This address is for agents'],
  ['origin', '/link/nothing/at/all', 404, 'Not found'],
  ['origin', '/link/linear?ticket=used', 410, 'This link is used up'],
  ['origin', '/sign-in/callback?error=access_denied&state=x', 400, 'This sign-in was not begun here'],
  ['issuer', '/authorize', 400, 'This request cannot go on'],
  ['issuer', '/authorize?client_id=nobody&redirect_uri=https://a.example/', 400, 'This request cannot go on'],
  ['issuer', '/sign-in/link?token=used', 400, 'This link does not work here'],
];
/** Forms that did not come from the page. */
const posted: readonly (readonly [at: 'origin' | 'issuer', path: string, title: string])[] = [
  ['origin', '/link/linear', 'That did not come from our page'],
  ['origin', '/link/linear/finish', 'That did not come from our page'],
  ['origin', '/link/linear/unlink', 'That did not come from our page'],
  ['origin', '/sign-out', 'That did not come from our page'],
  ['issuer', '/authorize', 'That did not come from our page'],
  ['issuer', '/sign-in', 'That did not come from our page'],
  ['issuer', '/sign-in/link', 'That did not come from our page'],
  ['issuer', '/account/plan', 'That did not come from our page'],
];

const looks: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['a phone, dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ['a desktop, light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
];

describe.skipIf(chromiumPath === undefined)(
  `the pages of errors in Chromium${chromiumReason === undefined ? '' : ` (skipped: ${chromiumReason})`}`,
  () => {
    let browser: Browser;
    let people: People;
    beforeAll(async () => {
      people = await openPeople();
      browser = await chromium.launch({
        executablePath: chromiumPath ?? '',
        args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
      });
    });
    afterAll(async () => {
      await browser.close();
      await people[Symbol.asyncDispose]();
    });

    async function look(page: Page, what: string, width: number | undefined): Promise<void> {
      await page.evaluate(axeSource);
      const found: unknown = await page.evaluate(`axe.run().then(({ violations, passes }) =>
        [String(passes.length), ...violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))])`);
      const [passes, ...violations] = Array.isArray(found) ? found.map(String) : [];
      expect(Number(passes), what).toBeGreaterThan(5);
      expect(violations, what).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth'), what).toBe(width);
    }

    test.each(looks)(
      'are accessible, fit, and say what to do on %s',
      { timeout: 120_000 },
      async (_name, options) => {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(error.message));
        for (const [at, path, status, title] of opened) {
          const answer = await page.goto(people[at] + path);
          expect.soft([path, answer?.status(), await page.textContent('h1')]).toEqual([path, status, title]);
          await look(page, path, options.viewport?.width);
        }
        for (const [at, path, title] of posted) {
          await page.goto('about:blank');
          await page.setContent(
            `<form method="post" action="${people[at]}${path}"><button>Go</button></form>`,
          );
          await page.click('button');
          await page.waitForURL(people[at] + path);
          expect.soft([path, await page.textContent('h1')]).toEqual([path, title]);
          await look(page, path, options.viewport?.width);
        }
        expect(complaints.filter((text) => !/responded with a status of 4\d\d/.test(text))).toEqual([]);
        await context.close();
      },
    );

    test('the whole way from the front page to a linked account and back needs no script', {
      timeout: 90_000,
    }, async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(people.origin);
      await page.click('footer a');
      await page.click('main a');
      await page.fill('[name=email]', 'noscript@example.com');
      await page.click('button');
      await page.goto(await people.demo.inbox.readLink('noscript@example.com'));
      await page.click('button');
      await page.click('button:has-text("Allow")');
      await page.waitForURL(`${people.origin}/link`);
      await page.click('button:has-text("Link")');
      await page.click('button:has-text("Allow")');
      await page.waitForURL(`${people.origin}/link/linear/callback**`);
      await page.click('button:has-text("Link it")');
      await page.click('main a');
      expect(await page.textContent('.badge')).toBe('Linked');
      await page.click('summary');
      await page.click('button:has-text("Yes, unlink")');
      expect(await page.textContent('h1')).toContain('is unlinked');
      await context.close();
    });
  },
);
