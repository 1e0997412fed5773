import { source as axeSource } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clients } from '#clients/clients.ts';
import { openPeople, type People } from '../server/pages/people.ts';
import { chromiumPath, chromiumReason } from './chromium.ts';

if (chromiumReason !== undefined) console.log(`the front page is not looked at: ${chromiumReason}`);

const looks: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['a phone, light', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  ['a phone, dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ['a small phone', { viewport: { width: 320, height: 568 }, colorScheme: 'light' }],
  ['a desktop, light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['a desktop, dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
];

/** One client of each kind: by command, by file, by link and in settings. */
const kinds = new Set(['claude-code', 'claude-desktop', 'cursor', 'chatgpt']);

describe.skipIf(chromiumPath === undefined)(
  `the front page in Chromium${chromiumReason === undefined ? '' : ` (skipped: ${chromiumReason})`}`,
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

    async function open(options: BrowserContextOptions = {}) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(people.origin);
      return { context, page, complaints };
    }
    const choose = (page: Page, id: string) => page.click(`label[for=client-${id}]`);
    const visibleTitles = (page: Page) => page.locator('.clients h2:visible').allTextContents();

    test.each(looks)(
      'is accessible and fits on %s, for each client',
      { timeout: 120_000 },
      async (_name, options) => {
        const { page, complaints } = await open(options);
        await page.evaluate(axeSource);
        for (const { id, title } of clients) {
          await choose(page, id);
          expect(await visibleTitles(page)).toEqual([title]);
          const width = await page.evaluate('document.documentElement.scrollWidth');
          expect(width, title).toBe(options.viewport?.width);
          if (!kinds.has(id)) continue;
          for (const summary of await page.locator('summary:visible').all()) await summary.click();
          const found: unknown = await page.evaluate(`axe.run().then(({ violations, passes }) =>
          [String(passes.length), ...violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))])`);
          const [passes, ...violations] = Array.isArray(found) ? found.map(String) : [];
          expect(Number(passes)).toBeGreaterThan(5);
          expect(violations, title).toEqual([]);
        }
        expect(complaints).toEqual([]);
      },
    );

    test('copies what stands beside the button, and says so', { timeout: 60_000 }, async () => {
      const { page, complaints } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
      const clipboard = () => page.evaluate('navigator.clipboard.readText()');
      await page.click('.copy.main button');
      expect(await clipboard()).toBe(`${people.origin}/mcp`);
      expect(await page.textContent('.copy.main button')).toBe('Copied');
      await choose(page, 'codex');
      await page.click('.clients .copy:visible button');
      expect(await clipboard()).toBe(
        `codex mcp add cortex --url ${people.origin}/mcp\ncodex mcp login cortex`,
      );
      expect(complaints).toEqual([]);
    });

    test('opens the client that the address names, and leads to the accounts', {
      timeout: 60_000,
    }, async () => {
      const { page } = await open();
      expect(await visibleTitles(page)).toEqual([clients[0]?.title]);
      await page.goto(`${people.origin}/#gemini-cli`);
      expect(await visibleTitles(page)).toEqual(['Gemini CLI']);
      await page.click('footer a');
      expect(await page.textContent('h1')).toBe('Sign in first');
    });

    test('works without a script: every client opens, nothing promises to copy', {
      timeout: 60_000,
    }, async () => {
      const { page } = await open({ javaScriptEnabled: false });
      for (const { id, title } of clients) {
        await choose(page, id);
        expect(await visibleTitles(page)).toEqual([title]);
      }
      expect(await page.locator('.copy button:visible').count()).toBe(0);
    });

    test('works with the keyboard alone, and shows where one is', { timeout: 60_000 }, async () => {
      const { page } = await open();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Copy the address');
      await page.keyboard.press('Tab');
      await page.keyboard.press('ArrowDown');
      expect(await visibleTitles(page)).toEqual([clients[1]?.title]);
      const label = `document.querySelector('label[for=client-${clients[1]?.id}]')`;
      expect(await page.evaluate(`getComputedStyle(${label}).outlineStyle`)).toBe('solid');
    });

    test('a browser at the address of the calls is led to it', { timeout: 60_000 }, async () => {
      const { page } = await open();
      await page.goto(`${people.origin}/mcp`);
      expect(await page.textContent('h1')).toBe('This address is for agents');
      await page.click('main a');
      expect(await page.textContent('h1')).toBe('Connect your agent');
    });
  },
);
