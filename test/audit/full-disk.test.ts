import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyAudit } from '#audit/verify.ts';
import { facts, openTestAudit, recordingLog, signer, tempDir } from './support/audit-kit.ts';

const probe = tempDir();
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe]);
const mountReason =
  mounted.error?.message ?? (mounted.status === 0 ? undefined : mounted.stderr.toString().trim());
if (mountReason === undefined) spawnSync('umount', [probe]);
else console.log(`no small disk to fill, a limit on the size of files serves instead: ${mountReason}`);

function linesIn(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => name.endsWith('.jsonl'));
  return names.flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1));
}
async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 600) throw new Error('waited too long');
    await Bun.sleep(10);
  }
}

test.skipIf(mountReason !== undefined)(
  `a full disk is loud, refuses by policy, loses nothing and recovers${mountReason === undefined ? '' : ` (skipped: ${mountReason})`}`,
  async () => {
    const root = tempDir();
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', root]);
    try {
      const dir = join(root, 'audit');
      mkdirSync(dir);
      writeFileSync(join(root, 'ballast'), Buffer.alloc(160 * 1024));
      const log = recordingLog();
      const audit = await openTestAudit(dir, { log });
      expect(audit.admits(false)).toBe(true);
      let recorded = 0;
      for (; audit.admits(false); recorded++) {
        audit.record(facts({ tool: `n${recorded}` }));
        if (recorded % 20 === 0) await Bun.sleep(2);
        if (recorded > 5_000) throw new Error('the disk never filled');
      }
      expect(audit.admits(true)).toBe(true);
      expect(log.events.map((entry) => entry.event)).toEqual(['audit.write_failed']);
      expect(String(log.events[0]?.fields.error)).toContain('ENOSPC');
      expect(await audit.act('admin', { action: 'test', actor: 'op' })).toBe(false);
      expect((await verifyAudit(dir, signer)).chains[0]?.broken).toBeUndefined();

      unlinkSync(join(root, 'ballast'));
      await waitFor(() => audit.admits(false));
      expect(log.events.map((entry) => entry.event)).toEqual(['audit.write_failed', 'audit.recovered']);
      await audit.close();
      expect((await verifyAudit(dir, signer)).status).toBe('intact');
      const lines = linesIn(dir);
      for (let index = 0; index < recorded; index++) {
        expect(lines.filter((line) => line.includes(`"tool":"n${index}"`))).toHaveLength(1);
      }
      expect(lines.some((line) => line.includes('"action":"audit.recovered"'))).toBe(true);
    } finally {
      spawnSync('umount', [root]);
      rmSync(root, { recursive: true, force: true });
    }
  },
);

test('a file that may not grow is the same, and a process killed in that state leaves a chain that holds', async () => {
  const dir = tempDir();
  const child = join(import.meta.dirname, 'support', 'audit-child.ts');
  // `ulimit -S -f` counts in blocks of 512 or 1,024 bytes, by shell; XFSZ would kill the process.
  const command = `trap '' XFSZ; ulimit -S -f 100; exec bun ${child} ${dir} batch`;
  const run = Bun.spawn(['sh', '-c', command], { stdout: 'pipe', stderr: 'inherit' });
  let said = '';
  for await (const part of run.stdout) {
    said += new TextDecoder().decode(part);
    if (said.includes('closed')) break;
  }
  expect(said).toContain('error audit.write_failed');
  run.kill('SIGKILL');
  await run.exited;
  expect((await verifyAudit(dir, signer)).chains[0]?.broken).toBeUndefined();
  const audit = await openTestAudit(dir);
  await audit.record(facts());
  await audit.close();
  expect((await verifyAudit(dir, signer)).status).toBe('intact');
  rmSync(dir, { recursive: true });
});
