import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { facts, openTestAudit, recordingLog, tempDir } from './support/audit-kit.ts';

let dir = '';
let elsewhere = '';
beforeEach(() => {
  dir = tempDir();
  elsewhere = tempDir();
  return () => {
    rmSync(dir, { recursive: true, force: true });
    rmSync(elsewhere, { recursive: true, force: true });
  };
});

test('a link that lies where the next file is due gets no record', async () => {
  const log = recordingLog();
  const audit = await openTestAudit(dir, { rotateBytes: 1, log });
  const [first = ''] = readdirSync(dir).filter((name) => name.endsWith('.jsonl'));
  const target = join(elsewhere, 'target');
  writeFileSync(target, '');
  symlinkSync(target, join(dir, first.replace('000001', '000002')));
  await audit.record(facts());
  await audit.close();
  expect(readFileSync(target, 'utf8')).toBe('');
  expect(log.events.map(({ event }) => event)).toContain('audit.write_failed');
});

test('a file of a chain that became a link is not gone on with', async () => {
  const audit = await openTestAudit(dir);
  await audit.record(facts());
  await audit.close();
  const [name = ''] = readdirSync(dir).filter((file) => file.endsWith('.jsonl'));
  const target = join(elsewhere, 'target');
  writeFileSync(target, readFileSync(join(dir, name)));
  const { size } = statSync(target);
  rmSync(join(dir, name));
  symlinkSync(target, join(dir, name));
  await expect(openTestAudit(dir)).rejects.toThrow(/ELOOP/);
  expect(statSync(target).size).toBe(size);
});
