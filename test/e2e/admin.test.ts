import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startGateway } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const first = 'the-first-token-of-pager-0123456789-0123';
const second = 'another-token-of-pager-0123456789-01234';

test('cortex serve opens the operators’ listener, and a token exchanged in its file counts from the reload on', async () => {
  await using folder = await createTempFolder();
  const [port, adminPort] = [freePort(), freePort()];
  const url = `http://127.0.0.1:${port}/mcp`;
  await using issuer = await createIssuer({ audience: url });
  const tokenFile = join(folder.path, 'pager.token');
  writeFileSync(tokenFile, `${first}\n`, { mode: 0o600 });
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['s'] },
    admin: {
      listen: `127.0.0.1:${adminPort}`,
      tokens: { pager: { token: `file:${tokenFile}`, role: 'operate' } },
    },
  });
  await using cortex = await startGateway({ args: ['--config', config], cwd: folder.path, port });
  const ask = (path: string, token: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${adminPort}${path}`, { method, headers: { authorization: `Bearer ${token}` } });

  const status = await ask('/admin/status', first);
  expect(status.status).toBe(200);
  expect(await status.json()).toMatchObject({ pid: cortex.pid, ready: true });
  expect((await fetch(`http://127.0.0.1:${port}/admin/status`)).status).toBe(404);

  // The pages of the console are there in whichever form the gateway runs.
  const console = `http://127.0.0.1:${adminPort}/console`;
  const signedIn = await fetch(`${console}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ token: first }),
    redirect: 'manual',
  });
  const base = new URL(signedIn.headers.get('location') ?? '', console).href;
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const page = async (address: string) => (await fetch(`${base}${address}`, { headers: { cookie } })).text();
  expect(await page('')).toContain('<h1>Overview</h1>');
  expect(await page('quarantine')).toContain('<h1>Quarantine</h1>');
  for (const file of ['console.css', 'console.js']) {
    expect((await fetch(`${console}/assets/${file}`)).status).toBe(200);
  }
  const live = await fetch(`${base}live?of=audit`, { headers: { cookie } });
  const part = await live.body?.getReader().read();
  expect(new TextDecoder().decode(part?.value)).toContain(': open');

  writeFileSync(tokenFile, `${second}\n`);
  const reloaded = await ask('/admin/reload', first, 'POST');
  expect(await reloaded.json()).toEqual({ problems: [] });
  expect((await ask('/admin/status', first)).status).toBe(401);
  expect((await ask('/readyz', second)).status).toBe(200);
  expect(cortex.output()).not.toContain(first);
  expect(cortex.output()).not.toContain(second);
});
