import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAnchors } from '#audit/anchor-ledger.ts';
import { verifyAudit } from '#audit/verify.ts';
import type { Durability } from '#audit/writer.ts';
import { openTestAudit, signer, tempDir } from './support/audit-kit.ts';

const child = join(import.meta.dirname, 'support', 'audit-child.ts');

interface Killed {
  /** Number and time of every record the process was told is kept. */
  readonly acknowledged: readonly { readonly number: number; readonly time: number }[];
  readonly written: ReadonlySet<number>;
}

/** Starts a process that writes under load and kills it after a while; `-9`, so that nothing of it runs any more. */
async function killWriter(dir: string, durability: Durability, afterMs: number): Promise<Killed> {
  const before = writtenIn(dir).length;
  const run = Bun.spawn(['bun', child, dir, durability, 'fast', join(dir, 'anchors')], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const reader = run.stdout.getReader();
  let said = new TextDecoder().decode((await reader.read()).value);
  setTimeout(() => run.kill('SIGKILL'), afterMs);
  for (let part = await reader.read(); !part.done; part = await reader.read())
    said += new TextDecoder().decode(part.value);
  await run.exited;
  const acknowledged = [...said.matchAll(/^ok (\d+) (\d+)$/gm)].map((match) => ({
    number: Number(match[1]),
    time: Number(match[2]),
  }));
  return { acknowledged, written: new Set(writtenIn(dir).slice(before)) };
}

function writtenIn(dir: string): number[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => [...readFileSync(join(dir, name), 'utf8').matchAll(/"tool":"n(\d+)".*\}$/gm)])
    .map((match) => Number(match[1]));
}

test('a process killed 50 times under load: the chain holds each time, and each durability keeps its word', async () => {
  const dir = tempDir();
  const seen: string[] = [];
  let most = 0;
  let anchored = 0;
  for (let round = 0; round < 50; round++) {
    const durability = (['call', 'batch', 'checkpoint'] as const)[round % 3] ?? 'call';
    const { acknowledged, written } = await killWriter(dir, durability, (round * 37) % 120);
    // Every anchor that left is in the files: none speaks of what the crash took back.
    const anchorFile = join(dir, 'anchors');
    const ledger = existsSync(anchorFile) ? await readAnchors([anchorFile], signer) : undefined;
    const { status, chains, anchorProblems } = await verifyAudit(dir, signer, ledger);
    seen.push(status);
    expect({ chains, anchorProblems, status }).not.toMatchObject({ status: 'broken' });
    anchored = ledger?.count ?? 0;

    const missing = acknowledged.filter(({ number }) => !written.has(number));
    most = Math.max(most, missing.length);
    if (durability === 'call') expect(missing).toEqual([]);
    const last = acknowledged.at(-1);
    const first = missing[0];
    if (last === undefined || first === undefined) continue;
    // The last batch: 256 records or 50 ms; this machine's delay in writing it comes on top.
    expect(missing.length <= 256 || last.time - first.time <= 50 + 250).toBe(true);
    expect(missing.at(-1)).toEqual(last);
  }
  console.log(
    `killed 50 times; at most ${most} acknowledged records were lost, none of them under "call"; ${anchored} anchors left`,
  );
  expect(anchored).toBeGreaterThan(20);
  expect(seen).toContain('unanchored');
  await (await openTestAudit(dir)).close();
  const report = await verifyAudit(dir, signer);
  expect(report).toMatchObject({ status: 'intact', chains: [{ firstSeq: 1 }] });
  rmSync(dir, { recursive: true });
}, 120_000);

const strace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
const straceReason =
  strace.error?.message ?? (strace.status === 0 ? undefined : strace.stderr.toString().trim());
if (straceReason !== undefined) console.log(`no trace of the system calls: ${straceReason}`);

test.skipIf(straceReason !== undefined)(
  `durability call: the system sees write, then sync, then the answer${straceReason === undefined ? '' : ` (skipped: ${straceReason})`}`,
  () => {
    const dir = tempDir();
    const trace = join(dir, 'trace');
    const calls = 'trace=write,pwrite64,pwritev,pwritev2,fsync,fdatasync';
    const run = spawnSync('strace', [
      '-f',
      '-s',
      '4096',
      '-e',
      calls,
      '-o',
      trace,
      'bun',
      child,
      dir,
      'call',
      'one',
    ]);
    expect(run.stdout.toString()).toBe('answer true\n');
    const steps = readFileSync(trace, 'utf8').split('\n');
    const write = steps.findIndex((step) => /pwrite\w*\(.*\\"kind\\":\\"call\\"/.test(step));
    const sync = steps.findIndex((step, index) => index > write && /fdatasync|fsync/.test(step));
    const synced = steps.findIndex((step, index) => index >= sync && /f(data)?sync.*= 0/.test(step));
    const answer = steps.findIndex((step) => /write\(1, "answer true/.test(step));
    expect(write).toBeGreaterThan(-1);
    expect([write, sync, synced, answer]).toEqual([write, sync, synced, answer].toSorted((a, b) => a - b));
    expect(sync).toBeGreaterThan(write);
    rmSync(dir, { recursive: true });
  },
);
