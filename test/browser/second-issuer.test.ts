import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { type Glewlwyd, glewlwydPath, startGlewlwyd } from '../support/glewlwyd.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { chromiumPath, startChromium, type Tab } from './chromium.ts';

const isPossible = chromiumPath !== undefined && glewlwydPath !== undefined;
const port = freePort();
const origin = `http://127.0.0.1:${port}`;
const parts = new AsyncDisposableStack();
let server: Glewlwyd;

beforeAll(async () => {
  if (!isPossible) return;
  const folder = parts.use(await createTempFolder());
  server = parts.use(await startGlewlwyd({ resource: `${origin}/mcp`, scopes: ['notes:read'] }));
  await server.addUser('ada', 'lovelace-1843', ['notes:read']);
  const config = await writeConfig(folder.path, {
    gateway: { url: `${origin}/mcp`, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: server.issuer, preset: 'rfc9068' }], challenge_scopes: ['notes:read'] },
    backends: { notes: { url: 'http://127.0.0.1:9', technical_token: 'x' } },
  });
  const gateway = await startGateway({ args: ['--config', config], cwd: folder.path, port });
  parts.defer(async () => void (await gateway.stop()));
}, 40_000);
afterAll(() => parts.disposeAsync());

/** Waits until the page, whichever it is by then, says so. */
async function until(tab: Tab, expression: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 100) {
    if ((await tab.evaluate(expression).catch(() => false)) === true) return;
    await Bun.sleep(100);
  }
  throw new Error(`waited for ${expression}: ${await tab.evaluate('document.body.innerText')}`);
}

/** Types into a field whose page listens to what is typed. */
const type = (tab: Tab, id: string, text: string) =>
  tab.evaluate(`(() => {
    const field = document.getElementById('${id}');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, '${text}');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  })()`);

const button = (name: string) =>
  `[...document.querySelectorAll('button')].find(({ innerText }) => innerText.trim() === '${name}')`;

describe.skipIf(!isPossible)('in a browser, at the pages of Glewlwyd', () => {
  test('a person signs in, consents, and is known on the gateway’s page', async () => {
    const browser = await startChromium(chromiumPath ?? '');
    parts.defer(() => browser.close());
    const tab = await browser.newTab();
    await tab.open(`${origin}/sign-in`);
    await until(tab, `document.getElementById('password') !== null`);
    expect(await tab.evaluate('location.origin')).toBe(new URL(server.issuer).origin);
    await type(tab, 'username', 'ada');
    await type(tab, 'password', 'lovelace-1843');
    await tab.click(`document.getElementById('loginbut')`);

    await until(tab, `document.querySelector('input[type=checkbox]') !== null`);
    const consent = String(await tab.evaluate('document.body.innerText'));
    expect(consent).toContain('Hello ada');
    expect(consent).toContain('May use notes:read');
    await tab.click(`document.querySelector('input[type=checkbox]')`);
    await until(tab, `document.querySelector('input[type=checkbox]').checked`);
    await tab.click(button('Grant access'));
    await until(tab, `${button('Continue')} !== undefined`);
    await tab.click(button('Continue'));

    await until(tab, `document.querySelector('h1')?.innerText === 'Your accounts'`);
    expect(await tab.evaluate('location.href')).toBe(`${origin}/link`);
  }, 60_000);
});
