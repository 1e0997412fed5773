import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

test.each([
  ['connect claude-code --write --scope project --url https://mcp.example.com/mcp', '.mcp.json'],
  [
    'init --force --no-check --url https://a.example/mcp --issuer https://b.example --plan a=b',
    'cortex.yaml',
  ],
])(
  'attack: %s opens no file of the person’s to whoever shares the folder and puts a link where it writes',
  async (line, name) => {
    await using home = await createTempFolder();
    await using shared = await createTempFolder();
    const secret = join(home.path, 'secret');
    writeFileSync(secret, 'of the person', { mode: 0o600 });
    const program = `
      const { readdirSync, rmSync, symlinkSync } = require('node:fs');
      const [, folder, target, name] = process.argv;
      console.log('ready');
      for (;;) for (const one of readdirSync(folder)) if (one.startsWith('.' + name + '.')) try {
        rmSync(folder + '/' + one);
        symlinkSync(target, folder + '/' + one);
      } catch {}`;
    const attacker = Bun.spawn([process.execPath, '-e', program, shared.path, secret, name], {
      stdout: 'pipe',
    });
    await attacker.stdout.getReader().read();
    for (let turn = 0; turn < 20; turn += 1) {
      rmSync(join(shared.path, name), { force: true });
      if (name === 'cortex.yaml') writeFileSync(join(shared.path, name), 'version: 1', { mode: 0o644 });
      await run(line, { cwd: shared.path, environment: { HOME: home.path } });
    }
    attacker.kill('SIGKILL');
    await attacker.exited;
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(readFileSync(secret, 'utf8')).toBe('of the person');
  },
);
