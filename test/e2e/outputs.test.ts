import { expect, test } from 'vitest';
import { askGateway, controlPath } from '#cli/control-client.ts';
import { isJsonObject } from '#kernel/json.ts';
import { cortexCommand } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { listTools } from './modern-request.ts';

test.each([
  ['whose readers go away', '"$@" 2>&1 | head -n 1 >/dev/null'],
  ['on a full disk', '"$@" >/dev/full 2>/dev/full'],
])('a gateway with outputs %s goes on', async (_, line) => {
  await using folder = await createTempFolder();
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  await using issuer = await createIssuer({ audience: url });
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['s'] },
    audit: { stdout: true },
  });
  const shell = Bun.spawn(['sh', '-c', line, 'sh', ...cortexCommand(), 'serve', '--config', config], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const control = controlPath(`${folder.path}/state`);
  let status: unknown;
  for (let waited = 0; status === undefined && waited < 10_000; waited += 50) {
    await Bun.sleep(50);
    status = await askGateway(control, 'GET', '/status');
  }
  const pid = isJsonObject(status) && typeof status.pid === 'number' ? status.pid : undefined;
  if (pid === undefined) throw new Error('the gateway did not start');
  try {
    const refused = { headers: { authorization: 'Bearer x' } };
    for (const _round of [1, 2, 3]) expect((await fetch(url, refused)).status).toBe(401);
    const token = await issuer.mint({ scope: 's' });
    for (const _round of [1, 2, 3]) expect(await listTools(url, token)).toContain('whoami');
  } finally {
    process.kill(pid, 'SIGTERM');
    await shell.exited;
  }
});
