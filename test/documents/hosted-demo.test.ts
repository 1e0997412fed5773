import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { chromiumPath, chromiumReason } from '../browser/chromium.ts';
import { hasNginx } from '../support/nginx.ts';
import { createSignIn } from './client-sign-in.ts';
import { blocksOf } from './command-blocks.ts';
import { hostDemo } from './hosted-demo.ts';

const email = 'visitor@example.com';
/** How fast somebody types, and how long they look at a page before they press a button. */
const person = { keyMs: 90, lookMs: 2_000 };
const missing = chromiumReason ?? (hasNginx ? undefined : 'nginx is not installed');
if (missing !== undefined) console.log(`nobody visits a hosted demo: ${missing}`);

/** The self-signed certificate of this machine is as good as another here. */
const insecureFetch = Object.assign(
  (input: string | URL | Request, init?: RequestInit) =>
    fetch(input, { ...init, tls: { rejectUnauthorized: false } }),
  { preconnect: fetch.preconnect },
);

describe.skipIf(missing !== undefined)('the demo, hosted as its document says', () => {
  const page = 'docs/host-the-demo.md';
  const nginx = blocksOf(page).find(({ language }) => language === 'nginx')?.lines ?? [];
  const locations = nginx
    .filter((line) => !/^\s*(?:server|listen|server_name|ssl_)|^}/.test(line))
    .join('\n');

  test('takes a stranger from its URL alone to a call, by mail, in half a minute', {
    timeout: 120_000,
  }, async () => {
    await using demo = await hostDemo(locations);
    const front = await (await insecureFetch(new URL('/', demo.url))).text();
    expect(front).toContain(`--transport http cortex ${demo.url}<`);
    expect((await insecureFetch(new URL('/style.css', demo.url))).status).toBe(200);
    const { browser, tab } = await openBrowser();
    const began = performance.now();
    const times: string[] = [];
    const mark = (what: string) =>
      times.push(`${((performance.now() - began) / 1_000).toFixed(1)} s ${what}`);
    try {
      const signIn = createSignIn();
      const client = () => new Client({ name: 'visitor', version: '1' });
      const transport = () =>
        new StreamableHTTPClientTransport(new URL(demo.url), {
          authProvider: signIn.provider,
          fetch: insecureFetch,
        });
      const first = transport();
      await expect(client().connect(first)).rejects.toThrow(UnauthorizedError);
      mark('the client has found the issuer, and registered');

      await tab.goto(signIn.authorizationUrl());
      await tab.waitForTimeout(person.lookMs);
      await tab.locator('[name=email]').pressSequentially(email, { delay: person.keyMs });
      await tab.getByRole('button', { name: 'Mail me a link' }).click();
      mark('the address is typed');
      await tab.goto(await demo.readMail(email));
      mark('the mail is here');
      await tab.waitForTimeout(person.lookMs);
      await tab.getByRole('button', { name: 'Sign in' }).click();
      await tab.waitForTimeout(2 * person.lookMs);
      await Promise.all([
        tab.waitForRequest((request) => request.url().startsWith(signIn.redirectUri)),
        tab.getByRole('button', { name: 'Allow' }).click(),
      ]).then(([request]) => first.finishAuth(signIn.codeOf(request.url())));
      mark('signed in, and allowed');

      const connected = client();
      await connected.connect(transport());
      const answer = await connected.callTool({ name: 'notes_list_notes', arguments: {} });
      const seconds = (performance.now() - began) / 1_000;
      mark('the first call is answered');
      expect(answer.isError ?? false).toBe(false);
      await connected.close();
      process.stdout.write(`from the URL to the first call:\n${times.map((line) => `  ${line}\n`).join('')}`);
      // What a person does takes 13 s of it; the rest is this machine's, which may be busy.
      expect(seconds).toBeLessThan(90);
      expect(demo.output()).not.toContain('/sign-in/link');
    } finally {
      await browser.close();
    }
  });
});

async function openBrowser() {
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  return { browser, tab: await context.newPage() };
}
