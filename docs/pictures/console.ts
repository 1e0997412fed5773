import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { fillConsole, openConsole } from '../../test/support/console-world.ts';

const folder = process.argv[2] ?? import.meta.dirname;
const isWhole = process.argv[2] !== undefined;

/**
 * Draws the operators' console from a real gateway that was really called: the pictures of the documents, or with a
 * folder as argument every page in every look.
 */
async function drawConsole(): Promise<void> {
  const path = Bun.which('chromium') ?? Bun.which('google-chrome');
  if (path === null) throw new Error('no chromium in PATH (Debian: apt-get install chromium)');
  await mkdir(folder, { recursive: true });
  await using world = await openConsole();
  await fillConsole(world);
  const browser = await chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
  try {
    for (const [name, options] of isWhole ? looks : looks.slice(0, 1)) {
      const page = await (await browser.newContext(options)).newPage();
      await world.signIn(page, 'privacy');
      await shoot(page, `overview-${name}`);
      for (const { file, address } of isWhole ? pages : pages.slice(0, 1)) {
        await page.goto(`${world.base(page)}${address}`);
        await shoot(page, `${file}-${name}`);
      }
      await page.goto(`${world.base(page)}audit?tool=create`);
      await page.click('tbody a');
      await shoot(page, `call-${name}`);
    }
  } finally {
    await browser.close();
  }
}

const looks: readonly (readonly [string, BrowserContextOptions])[] = [
  ['light', { viewport: { width: 1360, height: 860 }, colorScheme: 'light' }],
  ['dark', { viewport: { width: 1360, height: 860 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
];
const pages = [
  { file: 'quarantine', address: 'quarantine' },
  { file: 'backend', address: 'backends/billing' },
  { file: 'catalog', address: 'catalog?from=free&to=pro' },
  { file: 'audit', address: 'audit' },
  { file: 'grants', address: 'grants' },
  { file: 'revoke', address: 'revoke' },
];

async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForSelector('html:not([data-live]), html[data-pulse=live]');
  await page.screenshot({
    path: join(folder, `console-${name}.png`),
    fullPage: isWhole,
  });
}

await drawConsole();
