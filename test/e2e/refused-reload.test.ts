import { expect, test } from 'vitest';
import { startGateway } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';

test('a configuration that is refused only when it is taken over leaves the old one in place', async () => {
  await using folder = await createTempFolder();
  const port = freePort();
  const settings = (url: string) => ({
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { challenge_scopes: ['s'] },
  });
  const config = await writeConfig(folder.path, settings(`http://127.0.0.1:${port}/mcp`));
  await using cortex = await startGateway({ args: ['--dev', '--config', config], cwd: folder.path, port });

  await writeConfig(folder.path, settings('https://mcp.example.com/mcp'));
  for (let waited = 0; !cortex.output().includes('config.refused') && waited < 10_000; waited += 50)
    await Bun.sleep(50);
  expect(cortex.output()).toMatch(/config\.refused problem="--dev is for this machine alone/);
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
});
