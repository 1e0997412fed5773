import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { source as axeSource } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { principalKey } from '#kernel/principal.ts';
import { openPeople, type People } from '../server/pages/people.ts';
import { chromiumPath, chromiumReason } from './chromium.ts';

if (chromiumReason !== undefined) console.log(`the people's pages are not looked at: ${chromiumReason}`);

/** Where pictures of the pages are kept, where somebody wants to look at them. */
const pictures = process.env.CORTEX_PICTURES;

const looks = [
  { name: 'phone-light', width: 390, height: 844, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, height: 844, colorScheme: 'dark' },
  { name: 'desktop-light', width: 1280, height: 900, colorScheme: 'light' },
] as const;

async function violationsOn(page: Page): Promise<readonly string[]> {
  // A page's policy holds for scripts of the page, not for what the test evaluates.
  await page.evaluate(axeSource);
  const found: unknown = await page.evaluate(`axe.run().then(({ violations, passes }) =>
    [String(passes.length), ...violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))])`);
  if (!Array.isArray(found)) throw new Error('axe-core said nothing.');
  const [passes, ...violations] = found.map(String);
  // A page that was not looked at has no violations either.
  expect(Number(passes)).toBeGreaterThan(5);
  return violations;
}

/** Looks at a page: accessible, not wider than the window, and, if wanted, a picture. */
async function look(page: Page, name: string, picture: string): Promise<void> {
  expect(await violationsOn(page), name).toEqual([]);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  expect(width, name).toBe(page.viewportSize()?.width);
  const bytes = await page.screenshot({ fullPage: true });
  expect(bytes.length).toBeGreaterThan(5_000);
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, `${name.replaceAll(' ', '-')}-${picture}.png`), bytes);
}

/** The form of the demo's authorization server, the link, and the consent. */
async function signInAtIssuer(page: Page, people: People, email: string): Promise<void> {
  await page.waitForURL(`${people.issuer}/**`);
  if (new URL(page.url()).pathname === '/sign-in') {
    await page.fill('[name=email]', email);
    await page.click('text=Mail me a link');
    await page.goto(await people.demo.inbox.readLink(email));
    await page.click('button:has-text("Sign in")');
  }
  await page.click('button:has-text("Allow")');
  await page.waitForURL(`${people.origin}/**`);
}

const heading = (page: Page) => page.textContent('h1');

describe.skipIf(chromiumPath === undefined)(
  `the people's pages in Chromium${chromiumReason === undefined ? '' : ` (skipped: ${chromiumReason})`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: chromiumPath ?? '',
        args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
      });
    });
    afterAll(() => browser.close());

    /** A browser of its own; what it complains about is kept. */
    async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<{
      readonly context: BrowserContext;
      readonly page: Page;
      readonly complaints: string[];
    }> {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      return { context, page, complaints };
    }

    test('the whole way, with the real engine: agent’s link, sign-in, provider, account, outcome, list, unlink', {
      timeout: 90_000,
    }, async () => {
      await using resource = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: (request): Response =>
          new URL(request.url).pathname === '/.well-known/oauth-protected-resource/mcp'
            ? Response.json({
                resource: `${resource.url.origin}/mcp`,
                authorization_servers: [people.issuer],
                scopes_supported: ['mcp:notes:read'],
              })
            : new Response(null, { status: 404 }),
      });
      const people: People = await openPeople({ realServer: `${resource.url.origin}/mcp` });
      await using _people = people;
      const { page, complaints } = await open();
      const { owner } = await people.signedIn('ada@example.com');
      const ticket = await people.ticketFor(owner);

      await page.goto(`${people.origin}/link/linear?ticket=${ticket}`);
      expect(await heading(page)).toBe('Sign in first');
      await page.click('text=Sign in >> nth=-1');
      await signInAtIssuer(page, people, 'ada@example.com');
      expect(await heading(page)).toBe('Link Linear');
      await page.click('button:has-text("Go to Linear")');
      await page.waitForURL(`${people.issuer}/**`);
      expect(await page.textContent('body')).toContain('Allow Cortex?');
      await page.click('button:has-text("Allow")');
      await page.waitForURL(`${people.origin}/link/linear/callback**`);
      expect(await heading(page)).toBe('Link this account?');
      await page.click('button:has-text("Link it")');
      expect(await heading(page)).toBe('Linear is linked');
      await page.click('text=Your accounts');
      expect(await page.textContent('.badge')).toBe('Linked');

      await page.click('summary');
      await page.click('button:has-text("Yes, unlink")');
      expect(await heading(page)).toBe('Linear is unlinked');
      expect(await page.textContent('main')).toContain('The provider was told');
      expect(complaints).toEqual([]);
    });

    describe('with a provider that leads on to a place of its own', () => {
      let people: People;
      beforeAll(async () => {
        people = await openPeople();
      });
      afterAll(() => people[Symbol.asyncDispose]());

      test.each(looks)(
        'every page is accessible and fits on $name',
        { timeout: 90_000 },
        async ({ name: picture, width, height, colorScheme }) => {
          people.provider.grants.clear();
          people.calls = [];
          const { page, complaints } = await open({ viewport: { width, height }, colorScheme });
          const email = `ada.lovelace@${picture}.example.com`;
          await page.goto(`${people.origin}/link`);
          await look(page, 'sign in', picture);
          await page.click('a:has-text("Sign in")');
          await signInAtIssuer(page, people, email);
          await look(page, 'accounts empty', picture);
          await page.click('button:has-text("Link")');
          await page.click('button:has-text("Allow")');
          await page.waitForURL(`${people.origin}/link/linear/callback**`);
          await look(page, 'confirm', picture);
          await page.click('button:has-text("Link it")');
          await look(page, 'outcome', picture);

          fillIn(people, email);
          await page.click('text=Your accounts');
          await look(page, 'accounts', picture);
          await page.click('summary >> nth=0');
          await look(page, 'accounts asking', picture);
          await page.goto(`${people.origin}/link/linear`);
          await look(page, 'begin', picture);
          await page.goto(`${people.origin}/link/linear?ticket=used`);
          await look(page, 'used up', picture);
          expect(complaints.filter((text) => !text.includes('status of 410'))).toEqual([]);
        },
      );

      test('a page works with the keyboard alone, and shows where one is', { timeout: 60_000 }, async () => {
        people.provider.grants.clear();
        const { page } = await open();
        await page.goto(`${people.origin}/link`);
        await page.keyboard.press('Tab');
        expect(await page.evaluate('document.activeElement.textContent')).toBe('Sign in');
        const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
        expect(outline).toBe('solid');
        await page.keyboard.press('Enter');
        await signInAtIssuer(page, people, 'key@example.com');
        const focused: unknown[] = [];
        for (let steps = 0; steps < 2; steps += 1) {
          await page.keyboard.press('Tab');
          focused.push(await page.evaluate('document.activeElement.textContent'));
        }
        expect(focused).toEqual(['Sign out', 'Link']);
        await page.keyboard.press('Enter');
        await page.waitForURL(`${people.provider.origin}/**`);
      });

      test('no page stands in a frame, and an answer in one links nothing', { timeout: 60_000 }, async () => {
        const { page } = await open();
        await page.goto(`${people.origin}/link`);
        await page.click('a:has-text("Sign in")');
        await signInAtIssuer(page, people, 'frame@example.com');
        await page.click('button:has-text("Link")');
        await page.waitForURL(`${people.provider.origin}/**`);
        const state = new URL(page.url()).searchParams.get('state');
        const callback = `${people.origin}/link/linear/callback?code=x&state=${state}`;
        people.provider.asked.length = 0;

        await using framing = Bun.serve({
          port: 0,
          hostname: '127.0.0.1',
          fetch: () =>
            new Response(
              `<!doctype html><iframe src="${callback}"></iframe><iframe src="${people.origin}/link"></iframe>`,
              { headers: { 'content-type': 'text/html' } },
            ),
        });
        // On 127.0.0.1 the cookies come along; from localhost they do not.
        for (const origin of [framing.url.origin, `http://localhost:${framing.port}`]) {
          const seen: string[] = [];
          const listen = (message: { text(): string }) => seen.push(message.text());
          page.on('console', listen);
          await page.goto(origin);
          await expect.poll(() => seen.join('\n')).toMatch(/frame-ancestors[\s\S]*frame-ancestors/);
          page.off('console', listen);
          for (const frame of page.frames().slice(1)) {
            // The message comes before the frame shows the refusal.
            await expect.poll(() => frame.url()).toMatch(/^chrome-error:/);
          }
        }
        expect(people.provider.asked).toEqual([]);
        await page.goto(callback);
        expect(await heading(page)).toBe('Link this account?');
      });

      test('a form of another site does nothing, even on the same machine', { timeout: 60_000 }, async () => {
        const { page } = await open();
        await page.goto(`${people.origin}/link`);
        await page.click('a:has-text("Sign in")');
        await signInAtIssuer(page, people, 'csrf@example.com');
        const csrf = await page.getAttribute('[name=csrf]', 'value');
        people.provider.asked.length = 0;
        await using evil = Bun.serve({
          port: 0,
          hostname: '127.0.0.1',
          fetch: () =>
            new Response(
              `<!doctype html><form method="post" action="${people.origin}/link/linear"><input name="csrf" value="${csrf}"><button>Win</button></form>`,
              { headers: { 'content-type': 'text/html' } },
            ),
        });
        for (const origin of [evil.url.origin, `http://localhost:${evil.port}`]) {
          await page.goto(origin);
          await page.click('button');
          await page.waitForURL(`${people.origin}/**`);
          expect(await heading(page)).toBe('That did not come from our page');
        }
        expect(people.provider.asked).toEqual([]);
      });
    });
  },
);

/** A page as somebody has it who uses it. */
function fillIn(people: People, email: string): void {
  const [[key = ''] = []] = people.provider.grants;
  const owner = key.split(' ')[0] ?? principalKey('', email);
  const now = Date.now();
  const [linear] = people.provider.grants.values();
  if (linear === undefined) throw new Error('nothing is linked');
  people.provider.grants.set(`${owner} linear`, {
    ...linear,
    scopes: ['read', 'issues:create', 'comments:create'],
    linkedAt: Date.UTC(2026, 4, 3),
    lastUsedAt: now - 4 * 60_000,
  });
  people.provider.grants.set(`${owner} exports`, {
    ...linear,
    server: 'exports',
    account: 'ada@exports.example',
    linkedAt: Date.UTC(2026, 0, 17),
    lastUsedAt: now - 9 * 24 * 3_600_000,
    isDead: true,
  });
  const call = { method: 'tools/call', backend: 'linear', code: 'ok', outcome: 'ok' };
  people.calls = [
    { ...call, tool: 'linear_create_issue', time: now - 4 * 60_000, ms: 812 },
    { ...call, tool: 'linear_search_issues_with_a_rather_long_name', time: now - 5 * 60_000, ms: 1_390 },
    { ...call, tool: 'exports_start', time: now - 3_600_000, ms: 3, outcome: 'error', code: 'link_required' },
    { ...call, tool: 'notes_list_notes', time: now - 26 * 3_600_000, ms: 12 },
  ];
}
