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

  writeFileSync(tokenFile, `${second}\n`);
  const reloaded = await ask('/admin/reload', first, 'POST');
  expect(await reloaded.json()).toEqual({ problems: [] });
  expect((await ask('/admin/status', first)).status).toBe(401);
  expect((await ask('/readyz', second)).status).toBe(200);
  expect(cortex.output()).not.toContain(first);
  expect(cortex.output()).not.toContain(second);
});
