import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createChain } from '#audit/chain.ts';
import { commands } from '#cli/commands.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { createSigner } from '#keys/signer.ts';
import { keptAnchors } from '../audit/support/anchor-kit.ts';
import { facts, openTestAudit, principal, ringOf, signer, tempDir } from '../audit/support/audit-kit.ts';
import { run } from './run.ts';

const count = 100_000;
let original = '';
let dir = '';
let anchorFile = '';
let names: readonly string[] = [];

beforeAll(async () => {
  original = tempDir();
  const { anchors, lines } = keptAnchors();
  const audit = await openTestAudit(join(original, 'audit'), { anchors, rotateBytes: 8_000_000 });
  const began = performance.now();
  for (let index = 0; index < count; ) {
    // As calls come: many in one turn of the loop, then others get theirs.
    for (let turn = 0; turn < 100; turn++, index++) {
      void audit.record(
        facts({ principal: principal(`u${index % 50}`), tool: `t${index % 40}`, latencyMs: index % 997 }),
      );
    }
    await new Promise(setImmediate);
  }
  await audit.close();
  console.log(
    `wrote ${count} records in ${Math.round(performance.now() - began)} ms, ${lines.length} anchors`,
  );
  anchorFile = join(original, 'anchors.jsonl');
  writeFileSync(anchorFile, lines.map((line) => `${line}\n`).join(''));
  names = readdirSync(join(original, 'audit'))
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}, 120_000);
beforeEach(() => {
  dir = join(original, `copy-${Math.random()}`);
  mkdirSync(dir);
  for (const name of names) linkSync(join(original, 'audit', name), join(dir, name));
  return () => rmSync(dir, { recursive: true });
});
afterAll(() => rmSync(original, { recursive: true, force: true }));

function nameAt(index: number): string {
  return names.at(index) ?? '';
}
/** A file of the copy that is the copy’s own. */
function own(index: number): string {
  const path = join(dir, nameAt(index));
  unlinkSync(path);
  copyFileSync(join(original, 'audit', nameAt(index)), path);
  return path;
}
function editLines(index: number, change: (lines: string[]) => void): void {
  const path = own(index);
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  change(lines);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
}

interface Verdict {
  readonly exitCode: number;
  readonly broken: JsonObject | undefined;
  readonly report: JsonObject;
}
async function verify(...options: string[]): Promise<Verdict> {
  const keys = options.includes('--public-key') ? [] : ['--public-key', signer.publicKeys[0] ?? ''];
  const began = performance.now();
  const { exitCode, stdout } = await run(['audit verify --json --dir', dir, ...keys, ...options].join(' '), {
    commands,
    cwd: '/',
  });
  const report: unknown = JSON.parse(stdout);
  if (!isJsonObject(report) || !Array.isArray(report.chains)) throw new Error(stdout);
  const broken: unknown = report.chains.filter(isJsonObject).find((chain) => chain.broken !== null)?.broken;
  const found = isJsonObject(broken) ? broken : undefined;
  console.log(
    `exit ${exitCode} in ${Math.round(performance.now() - began)} ms: ${
      found === undefined ? report.status : `${found.file}:${found.line}: ${found.reason}`
    }`,
  );
  return { exitCode, broken: found, report };
}

test('100,000 records are intact, and every one is vouched for elsewhere: 0', async () => {
  expect(names.length).toBeGreaterThan(5);
  expect(await verify()).toMatchObject({ exitCode: 0, report: { status: 'intact' } });
  const { exitCode, report } = await verify('--anchors', anchorFile);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ status: 'intact', anchors: { repeated: 0, problems: [] } });
  expect(Number(report.records)).toBeGreaterThan(count);
});

test('one byte flipped: 1, at its line', async () => {
  const path = own(3);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('"outcome":"ok"', 4_000_000) + '"outcome":"'.length;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const line = bytes.subarray(0, at).toString('latin1').split('\n').length;
  expect(await verify()).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(3), line, reason: 'edited' },
  });
});

test('one line deleted: 1, where it was', async () => {
  editLines(2, (lines) => void lines.splice(7_000, 1));
  expect(await verify()).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(2), line: 7_001, reason: 'missing' },
  });
});

test('two lines swapped: 1, at the first', async () => {
  editLines(4, (lines) => void lines.splice(500, 2, lines[501] ?? '', lines[500] ?? ''));
  expect(await verify()).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(4), line: 501, reason: 'missing' },
  });
});

test('the tail cut in the middle: 4, and against anchors 1, where it ends', async () => {
  editLines(-1, (lines) => void lines.splice(-300));
  const lines = readFileSync(join(dir, nameAt(-1)), 'utf8').split('\n').length - 1;
  expect(await verify()).toMatchObject({ exitCode: 4, report: { status: 'unanchored' } });
  expect(await verify('--anchors', anchorFile)).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(-1), line: lines, reason: 'end_missing' },
  });
});

test('the tail cut behind a checkpoint: nothing shows it but the anchors: 1, where it ends', async () => {
  let kept = 0;
  editLines(-1, (lines) => {
    kept =
      lines.findLastIndex((line, at) => at < lines.length - 1 && line.includes('"kind":"checkpoint"')) + 1;
    lines.splice(kept);
  });
  expect(kept).toBeGreaterThan(0);
  expect(await verify()).toMatchObject({ exitCode: 0 });
  expect(await verify('--anchors', anchorFile)).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(-1), line: kept, reason: 'end_missing' },
  });
});

test('half a line at the end: 4', async () => {
  const path = own(-1);
  truncateSync(path, statSync(path).size - 20);
  expect(await verify()).toMatchObject({ exitCode: 4 });
});

test.each([
  ['the first', 0, 1, 'history_missing'],
  ['one in the middle', 3, 2, 'file_missing'],
  ['the last', -1, -2, 'file_missing'],
] as const)('a file removed, %s: 1, where it is missed', async (_name, removed, missed, reason) => {
  unlinkSync(join(dir, nameAt(removed)));
  expect(await verify()).toMatchObject({ exitCode: 1, broken: { file: nameAt(missed), reason } });
});

test('every file removed: no records, 4; and against anchors 1, with the chain', async () => {
  for (const name of names) unlinkSync(join(dir, name));
  expect(await verify()).toMatchObject({ exitCode: 4 });
  const { exitCode, report } = await verify('--anchors', anchorFile);
  expect(exitCode).toBe(1);
  expect(report.anchors).toMatchObject({ problems: [{ file: 'anchors.jsonl', reason: 'chain_missing' }] });
});

test('a checkpoint signed with a foreign key: 1, at its line; and all of them with another auditor’s key', async () => {
  let at = 0;
  editLines(5, (lines) => {
    at = lines.findIndex((line) => line.includes('"kind":"checkpoint"'));
    const record: unknown = JSON.parse(lines[at] ?? '');
    if (!isJsonObject(record)) throw new Error('no record');
    const head = { chain: String(record.chain), seq: Number(record.seq) - 1, hash: String(record.prev) };
    const foreign = createChain({ ...head, unanchored: 1 }, createSigner(ringOf(9)));
    lines[at] = foreign.checkpoint(Date.parse(String(record.time)), {});
  });
  expect(await verify()).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(5), line: at + 1, reason: 'unknown_key' },
  });
  const other = createSigner(ringOf(9)).publicKeys[0] ?? '';
  expect(await verify('--public-key', other)).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(0), reason: 'unknown_key' },
  });
});

test('the whole end written anew with the stolen key: nothing shows it but the anchors: 1, at the first that differs', async () => {
  let at = 0;
  editLines(-1, (lines) => {
    at = lines.findIndex((line) => line.includes('"kind":"checkpoint"'));
    const first: unknown = JSON.parse(lines[0] ?? '');
    if (!isJsonObject(first)) throw new Error('no record');
    const start = { chain: String(first.chain), seq: Number(first.seq) - 1, hash: String(first.prev) };
    const thief = createChain({ ...start, unanchored: 0 }, signer);
    for (const [index, line] of lines.entries()) {
      const { v, kind, chain, seq, time, prev, sig, key, ...fields } = JSON.parse(line);
      if (index === 5) fields.outcome = 'refused';
      lines[index] =
        kind === 'checkpoint'
          ? thief.checkpoint(Date.parse(time), fields)
          : thief.append(kind, Date.parse(time), fields);
    }
  });
  expect(await verify()).toMatchObject({ exitCode: 0 });
  expect(await verify('--anchors', anchorFile)).toMatchObject({
    exitCode: 1,
    broken: { file: nameAt(-1), line: at + 1, reason: 'anchor_differs' },
  });
});

test('a forged anchor accuses nothing but itself: 1, at its place in the file of anchors', async () => {
  const lines = readFileSync(anchorFile, 'utf8').split('\n');
  const forged = join(dir, 'forged.jsonl');
  const last = lines.at(-2) ?? '';
  const beyond = last.replace(/"seq":(\d+)/, (_match, seq) => `"seq":${Number(seq) + 5_000}`);
  writeFileSync(forged, `${last}\n${beyond}\n`);
  const { exitCode, broken, report } = await verify('--anchors', forged);
  expect({ exitCode, broken }).toEqual({ exitCode: 1, broken: undefined });
  expect(report.anchors).toMatchObject({
    problems: [{ file: 'forged.jsonl', line: 2, reason: 'bad_signature' }],
  });
});

test('an old anchor replayed in place of the newer ones does not pass for them: 4', async () => {
  const [first = ''] = readFileSync(anchorFile, 'utf8').split('\n');
  const replayed = join(dir, 'replayed.jsonl');
  writeFileSync(replayed, `${first}\n`.repeat(200));
  const { exitCode, report } = await verify('--anchors', replayed);
  expect(exitCode).toBe(4);
  expect(report).toMatchObject({
    status: 'unanchored',
    chains: [{ last_anchor: { seq: 1_001 } }],
    anchors: { count: 200, repeated: 199 },
  });
});
