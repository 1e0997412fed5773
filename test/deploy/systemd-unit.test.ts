import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../support/temp-folder.ts';

const unit = join(import.meta.dirname, '..', '..', 'deploy', 'systemd', 'cortex.service');
const hasSystemd = Bun.which('systemd-analyze') !== null;
if (!hasSystemd) console.log('skipped: systemd-analyze is not installed');

test.skipIf(!hasSystemd)(
  'the unit of systemd is sound, and shuts out what the gateway does not need',
  async () => {
    await using folder = await createTempFolder();
    const copy = join(folder.path, 'cortex.service');
    const text = (await readFile(unit, 'utf8')).replaceAll('/usr/local/bin/cortex', '/bin/true');

    await writeFile(copy, text);
    const verified = Bun.spawnSync(['systemd-analyze', 'verify', copy]);
    expect(verified.stderr.toString()).toBe('');
    const judged = Bun.spawnSync(['systemd-analyze', 'security', '--offline=true', '--threshold=15', copy]);
    expect(judged.exitCode, judged.stdout.toString()).toBe(0);
  },
);

test('the unit starts, checks and reloads with what the command knows', async () => {
  const text = await readFile(unit, 'utf8');
  expect(text).toContain('ExecStart=/usr/local/bin/cortex serve --config /etc/cortex/cortex.yaml');
  expect(text).toMatch(/^ExecReload=.* -HUP \$MAINPID$/m);
  expect(text).toMatch(/^KillMode=mixed$/m);
});
