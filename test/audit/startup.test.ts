import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { callFields } from '#audit/call-fields.ts';
import { createCallIndex } from '#audit/call-index.ts';
import { createChain, newChainHead } from '#audit/chain.ts';
import { chainFile, seekOld } from '#audit/files.ts';
import { parseAuditLine } from '#audit/line.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { facts, openTestAudit, signer, tempDir } from './support/audit-kit.ts';

const id = 'abcabcabcabc';
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true, force: true })));

/** A chain as a gateway leaves it: signed to its end, or killed with the last 999 records unsigned. */
function chainOf(records: number, perFile: number, isKilled: boolean): { dir: string; last: string } {
  const dir = tempDir();
  folders.push(dir);
  const chain = createChain(newChainHead(id), signer);
  const fields = callFields(facts(), 'u'.repeat(22), 'p'.repeat(22));
  const now = Date.now();
  let index = 1;
  let lines: string[] = [];
  const flush = () =>
    writeFileSync(chainFile(dir, id, index).path, lines.map((line) => `${line}\n`).join(''));
  for (let count = 1; count <= records; count++) {
    lines.push(chain.append('call', now, fields));
    if (chain.unanchored() === 1_000) lines.push(chain.checkpoint(now, {}));
    if (lines.length < perFile || count > records - 500) continue;
    lines.push(chain.checkpoint(now, { next: chainFile(dir, id, index + 1).name }));
    flush();
    index += 1;
    lines = [];
  }
  lines.push(chain.checkpoint(now, {}));
  for (let count = 0; isKilled && count < 999; count++) lines.push(chain.append('call', now, fields));
  flush();
  return { dir, last: chainFile(dir, id, index).path };
}

/** The least processor time of several starts on the same state, in milliseconds. */
async function startCost({ dir, last }: { dir: string; last: string }): Promise<number> {
  const { size } = statSync(last);
  const costs: number[] = [];
  for (let round = 0; round < 6; round++) {
    truncateSync(last, size);
    const before = process.cpuUsage();
    const audit = await openTestAudit(dir);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1_000);
    await audit.close();
  }
  truncateSync(last, size);
  return Math.min(...costs);
}

test('a start costs the same after 2,000 records and after 100,000, in one file and in many', async () => {
  const costs = {
    'after 2,000 records': await startCost(chainOf(2_000, 1e9, false)),
    'after 100,000 in one file': await startCost(chainOf(100_000, 1e9, false)),
    'after 100,000 in 100 files': await startCost(chainOf(100_000, 1_000, false)),
    'after 2,000 and a kill': await startCost(chainOf(2_000, 1e9, true)),
    'after 100,000 and a kill': await startCost(chainOf(100_000, 1e9, true)),
  };
  for (const [what, ms] of Object.entries(costs))
    console.log(`a start ${what}: ${ms.toFixed(1)} ms of processor time`);
  expect(costs['after 100,000 in one file']).toBeLessThan(3 * costs['after 2,000 records'] + 10);
  expect(costs['after 100,000 in 100 files']).toBeLessThan(3 * costs['after 2,000 records'] + 10);
  expect(costs['after 100,000 and a kill']).toBeLessThan(3 * costs['after 2,000 and a kill'] + 20);
}, 60_000);

test('bringing the index up to date reads what is missing, not the file', async () => {
  const { dir } = chainOf(100_000, 1e9, false);
  const store = openSqliteStore(':memory:');
  const deps = { store, clock: systemClock, log: silentLog, retentionMs: 1e12 };
  const wholeElapsedMs = stopwatch();
  await createCallIndex(deps).catchUp(dir);
  const wholeMs = wholeElapsedMs();
  // As after every stop: a checkpoint and an act stand behind the last call that is marked.
  await store.run('UPDATE audit_call_marks SET seq = seq - 3');
  const elapsedMs = stopwatch();
  await createCallIndex(deps).catchUp(dir);
  const ms = elapsedMs();
  console.log(
    `the index of 100,000 records: ${wholeMs.toFixed(0)} ms anew, ${ms.toFixed(1)} ms after a stop`,
  );
  expect(ms).toBeLessThan(wholeMs / 4);
  await store.close();
}, 60_000);

test('where reading begins is before the first record that is missing, wherever that is', async () => {
  const { last } = chainOf(3_000, 1e9, false);
  const text = readFileSync(last);
  for (const mark of [0, 1, 2, 500, 2_000, 2_990, 3_003, 9_999]) {
    const offset = await seekOld(last, (line) => {
      const record = parseAuditLine(line);
      return record.ok && record.value.seq <= mark;
    });
    const rest = text.subarray(offset).toString('utf8').split('\n');
    const first = parseAuditLine(Buffer.from(rest[0] ?? ''));
    expect(first.ok && first.value.seq <= mark + 1).toBe(true);
    if (mark >= 2_990) expect(offset).toBeGreaterThan(1_000_000);
  }
});
