import { source as axeSource } from 'axe-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject } from '#kernel/json.ts';
import {
  type Chromium,
  chromiumPath,
  chromiumReason,
  type Look,
  startChromium,
  type Tab,
} from './chromium.ts';
import { type DemoPages, openDemoPages } from './demo-pages.ts';

if (chromiumReason !== undefined) console.log(`the demo's pages are not looked at: ${chromiumReason}`);

const looks: readonly (readonly [name: string, look: Look])[] = [
  ['a phone, light', { width: 390, height: 844, scheme: 'light' }],
  ['a phone, dark', { width: 390, height: 844, scheme: 'dark' }],
  ['a desktop, light', { width: 1280, height: 900, scheme: 'light' }],
  ['a desktop, dark', { width: 1280, height: 900, scheme: 'dark' }],
];

/** What axe-core finds on the page: rule, and the elements. */
async function violationsOn(tab: Tab): Promise<readonly string[]> {
  await tab.evaluate(axeSource);
  const found = await tab.evaluate(
    `axe.run().then(({ violations, passes }) => ({
      passes: passes.length,
      violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')),
    }))`,
  );
  if (!isJsonObject(found) || !Array.isArray(found.violations)) throw new Error('axe-core said nothing.');
  // A page that was not looked at has no violations either.
  expect(found.passes).toBeGreaterThan(5);
  return found.violations.map(String);
}

describe.skipIf(chromiumPath === undefined)(
  `the demo's pages in Chromium${chromiumReason === undefined ? '' : ` (skipped: ${chromiumReason})`}`,
  () => {
    let chromium: Chromium;
    let pages: DemoPages;
    beforeAll(async () => {
      chromium = await startChromium(chromiumPath ?? '');
      pages = await openDemoPages();
    });
    afterAll(async () => {
      pages.close();
      await chromium.close();
    });

    test.each(looks)(
      'are accessible and as wide as the window on %s',
      { timeout: 90_000 },
      async (_name, look) => {
        const tab = await chromium.newTab();
        await tab.look(look);
        const seen: string[] = [];
        await pages.walk(tab, async (page) => {
          seen.push(page);
          expect(await violationsOn(tab), page).toEqual([]);
          expect(await tab.evaluate('document.documentElement.scrollWidth'), page).toBe(look.width);
        });
        expect(seen).toHaveLength(12);
        expect(tab.complaints.filter((text) => !text.includes('status of 400'))).toEqual([]);
      },
    );

    test('let an answer go to an application by its own scheme', { timeout: 60_000 }, async () => {
      const tab = await chromium.newTab();
      await pages.walk(tab, async () => {});
      const left = tab.requested.filter((url) => url.startsWith('cursor:'));
      expect(left).toHaveLength(1);
      expect(left[0]).toMatch(
        /^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=[\w-]{43}&state=the-state&iss=/,
      );
      expect(tab.complaints.join()).not.toMatch(/Content Security Policy|gesture/);
    });

    test('would be found out: a policy without the scheme, and a field without a name', async () => {
      const form = `<!doctype html><form method="post"><input name="x"><button>Go</button></form>`;
      await using server = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: ({ method }) =>
          method === 'POST'
            ? new Response(null, { status: 303, headers: { location: 'cursor://x/y' } })
            : new Response(form, {
                headers: { 'content-type': 'text/html', 'content-security-policy': "form-action 'self'" },
              }),
      });
      const tab = await chromium.newTab();
      await tab.open(server.url.href);
      expect((await violationsOn(tab)).join()).toContain('label: <input name="x">');
      await tab.click("document.querySelector('button')");
      await expect.poll(() => tab.complaints.join(), { timeout: 5_000 }).toContain('Content Security Policy');
      expect(tab.requested.join()).not.toContain('cursor:');
    });
  },
);
