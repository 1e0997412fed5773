import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createChain, newChainHead } from '#audit/chain.ts';
import { chainFile } from '#audit/files.ts';
import { type AuditReport, verifyAudit } from '#audit/verify.ts';
import type { JsonObject } from '#kernel/json.ts';
import { createSigner, type Verifier } from '#keys/signer.ts';
import { facts, openTestAudit, principal, ringOf, signer, tempDir } from './support/audit-kit.ts';

let original = '';
let dir = '';
let names: readonly string[] = [];

beforeAll(async () => {
  original = tempDir();
  const audit = await openTestAudit(original, { rotateBytes: 600_000 });
  for (let index = 0; index < 5_000; index++) {
    await audit.record(facts({ principal: principal(`u${index % 7}`), latencyMs: index }));
  }
  await audit.close();
  names = readdirSync(original)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}, 60_000);
beforeEach(() => {
  dir = tempDir();
  cpSync(original, dir, { recursive: true });
  return () => rmSync(dir, { recursive: true, force: true });
});
afterAll(() => rmSync(original, { recursive: true, force: true }));

function nameAt(index: number): string {
  const name = names.at(index);
  if (name === undefined) throw new Error('no such file');
  return name;
}
function linesOf(name: string): string[] {
  return readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1);
}
function write(name: string, lines: readonly string[]): void {
  writeFileSync(join(dir, name), lines.map((line) => `${line}\n`).join(''));
}
function edit(name: string, change: (lines: string[]) => void): void {
  const lines = linesOf(name);
  change(lines);
  write(name, lines);
}
async function breakOf(verifier: Verifier = signer) {
  const report = await verifyAudit(dir, verifier);
  expect(report.status).toBe('broken');
  return report.chains.find((chain) => chain.broken !== undefined)?.broken;
}

test('5,000 records over several files are intact', async () => {
  expect(names.length).toBeGreaterThan(3);
  const report = await verifyAudit(dir, signer);
  expect(report).toMatchObject({
    status: 'intact',
    chains: [{ files: names.length, firstSeq: 1, unanchored: 0, tornBytes: 0 }],
  });
  expect(report.records).toBeGreaterThan(5_000);
});

describe('each tampering is found, at its place', () => {
  test('a changed value', async () => {
    edit(nameAt(1), (lines) => {
      lines[99] = lines[99]?.replace('"outcome":"ok"', '"outcome":"no"') ?? '';
    });
    expect(await breakOf()).toMatchObject({ file: nameAt(1), line: 100, reason: 'edited' });
  });

  test('a removed line', async () => {
    edit(nameAt(1), (lines) => void lines.splice(99, 1));
    expect(await breakOf()).toMatchObject({ file: nameAt(1), line: 100, reason: 'missing' });
  });

  test('two lines in the other order', async () => {
    edit(nameAt(0), (lines) => void lines.splice(50, 2, lines[51] ?? '', lines[50] ?? ''));
    expect(await breakOf()).toMatchObject({ file: nameAt(0), line: 51, reason: 'missing' });
  });

  test('a line that stands twice', async () => {
    edit(nameAt(0), (lines) => void lines.splice(50, 0, lines[49] ?? ''));
    expect(await breakOf()).toMatchObject({ file: nameAt(0), line: 51, reason: 'repeated' });
  });

  test('an invented line, numbered and linked as it must be', async () => {
    edit(nameAt(0), (lines) => {
      const before = JSON.parse(lines[49] ?? '');
      const next = JSON.parse(lines[50] ?? '');
      lines.splice(50, 0, JSON.stringify({ ...before, seq: next.seq, prev: next.prev }));
    });
    expect(await breakOf()).toMatchObject({ file: nameAt(0), line: 52, reason: 'repeated' });
  });

  test('text that is no record', async () => {
    edit(nameAt(2), (lines) => {
      lines[7] = 'garbage';
    });
    expect(await breakOf()).toMatchObject({ file: nameAt(2), line: 8, reason: 'not_a_record' });
  });

  test('a changed value with every link after it made again: the next checkpoint did not sign it', async () => {
    const chainId = nameAt(0).slice(6, 18);
    const lines = linesOf(nameAt(0));
    const forged = createChain(newChainHead(chainId), createSigner(ringOf(9)));
    const remade = lines.map((line, index) => {
      const { v, kind, chain, seq, time, prev, sig, ...fields } = JSON.parse(line);
      if (index === 10) fields.outcome = 'refused';
      if (kind !== 'checkpoint') return forged.append(kind, Date.parse(time), fields);
      const { key, ...rest } = fields;
      return forged.checkpoint(Date.parse(time), rest).replace(/"key":"[^"]*"/, `"key":"${signer.keyId}"`);
    });
    write(nameAt(0), remade);
    const at = lines.findIndex((line) => line.includes('"kind":"checkpoint"')) + 1;
    expect(await breakOf()).toMatchObject({ file: nameAt(0), line: at, reason: 'bad_signature' });
  });

  test('a whole chain made again under a foreign key', async () => {
    const foreign = createSigner(ringOf(9));
    const at = linesOf(nameAt(0)).findIndex((line) => line.includes('"kind":"checkpoint"')) + 1;
    expect(await breakOf(foreign)).toMatchObject({ file: nameAt(0), line: at, reason: 'unknown_key' });
  });

  test('something written after the signature of a checkpoint', async () => {
    edit(nameAt(-1), (lines) => {
      lines[lines.length - 1] = (lines.at(-1) ?? '').replace(/\}$/, ',"note":"approved"}');
    });
    expect(await breakOf()).toMatchObject({ file: nameAt(-1), reason: 'bad_signature' });
  });

  test('a file from the middle, the first, or the last one removed', async () => {
    unlinkSync(join(dir, nameAt(1)));
    expect(await breakOf()).toMatchObject({ file: nameAt(0), reason: 'file_missing' });
    cpSync(original, dir, { recursive: true });
    unlinkSync(join(dir, nameAt(0)));
    expect(await breakOf()).toMatchObject({ file: nameAt(1), line: 1, reason: 'history_missing' });
    cpSync(original, dir, { recursive: true });
    unlinkSync(join(dir, nameAt(-1)));
    expect(await breakOf()).toMatchObject({ file: nameAt(-2), reason: 'file_missing' });
  });

  test('two files under each other’s names', async () => {
    const [first, second] = [linesOf(nameAt(1)), linesOf(nameAt(2))];
    write(nameAt(1), second);
    write(nameAt(2), first);
    expect(await breakOf()).toMatchObject({ reason: expect.stringMatching(/missing/) });
  });

  test('a record of another chain put in', async () => {
    edit(nameAt(0), (lines) => {
      lines[20] = (lines[20] ?? '').replace(nameAt(0).slice(6, 18), 'ffffffffffff');
    });
    expect(await breakOf()).toMatchObject({ file: nameAt(0), line: 21, reason: 'other_chain' });
  });

  test('the end of a file that is not the last cut off', async () => {
    const path = join(dir, nameAt(0));
    truncateSync(path, readFileSync(path).length - 40);
    expect(await breakOf()).toMatchObject({ file: nameAt(0), reason: 'not_a_record' });
    edit(nameAt(0), (lines) => void lines.splice(-5));
    expect(await breakOf()).toMatchObject({ file: nameAt(1), line: 1, reason: 'missing' });
  });

  test('the very end cut off between two checkpoints leaves records that nothing signs', async () => {
    edit(nameAt(-1), (lines) => void lines.splice(-1));
    const report = await verifyAudit(dir, signer);
    expect(report.status).toBe('unanchored');
    expect(report.chains[0]?.unanchored).toBeGreaterThan(0);
  });

  test('a chain that puts off its checkpoints for longer than a gateway ever does', async () => {
    const chain = createChain(newChainHead('abcabcabcabc'), signer);
    const lines = Array.from({ length: 1_001 }, () => chain.append('call', 0, {}));
    writeFileSync(chainFile(dir, 'abcabcabcabc', 1).path, `${lines.join('\n')}\n`);
    expect(await breakOf()).toMatchObject({ line: 1_001, reason: 'checkpoint_overdue' });
  });
});

test('half a line at the very end is not a break: somebody may be writing it', async () => {
  const path = join(dir, nameAt(-1));
  truncateSync(path, readFileSync(path).length - 10);
  const report = await verifyAudit(dir, signer);
  expect(report.status).toBe('unanchored');
  expect(report.chains[0]?.tornBytes).toBeGreaterThan(0);
});

test('a folder without records proves nothing', async () => {
  expect(await verifyAudit(join(dir, 'nowhere'), signer)).toEqual({
    status: 'unanchored',
    records: 0,
    chains: [],
    anchorProblems: [],
  });
});

test('50,000 lines take well under a second', async () => {
  const chain = createChain(newChainHead('abcabcabcabc'), signer);
  const target = tempDir();
  const lines: string[] = [];
  const fields = { user: 'u', tool: 'notes_list', filler: 'x'.repeat(400) };
  for (let index = 0; index < 50_000; index++) {
    lines.push(chain.append('call', index, fields));
    if (chain.unanchored() === 1_000) lines.push(chain.checkpoint(index, {}));
  }
  writeFileSync(chainFile(target, 'abcabcabcabc', 1).path, `${lines.join('\n')}\n`);
  const before = process.cpuUsage();
  expect((await verifyAudit(target, signer)).status).toBe('intact');
  const { user, system } = process.cpuUsage(before);
  console.log(
    `verified ${lines.length} lines with ${Math.round((user + system) / 1_000)} ms of processor time`,
  );
  expect(user + system).toBeLessThan(2_000_000);
  rmSync(target, { recursive: true });
});

describe('for any records', () => {
  const field = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.array(fc.string()));
  const anyFields = fc.dictionary(
    fc.string().map((key) => `f_${key}`),
    field,
  );

  async function report(bytes: Buffer): Promise<AuditReport> {
    const target = tempDir();
    writeFileSync(chainFile(target, 'abcabcabcabc', 1).path, bytes);
    const result = await verifyAudit(target, signer);
    rmSync(target, { recursive: true });
    return result;
  }
  function chainBytes(records: readonly JsonObject[]): Buffer {
    const chain = createChain(newChainHead('abcabcabcabc'), signer);
    const lines = records.map((fields, index) => chain.append('call', index, fields));
    return Buffer.from(`${[...lines, chain.checkpoint(9, {})].join('\n')}\n`);
  }

  test('the chain is intact', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFields, { maxLength: 20 }), async (records) => {
        expect((await report(chainBytes(records))).status).toBe('intact');
      }),
      { numRuns: 60 },
    );
  });

  test('any changed byte is found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFields, { maxLength: 5 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (records, at, mask) => {
          const bytes = chainBytes(records);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ mask;
          const { status } = await report(bytes);
          // The last checkpoint made unreadable as one is the same as the end cut off before it.
          const lastLine = bytes.lastIndexOf(10, bytes.length - 2) + 1;
          expect(index < lastLine ? ['broken'] : ['broken', 'unanchored']).toContain(status);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('any cut before the end is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFields, { minLength: 1, maxLength: 5 }), fc.nat(), async (records, at) => {
        const bytes = chainBytes(records);
        expect((await report(bytes.subarray(0, at % bytes.length))).status).toBe('unanchored');
      }),
      { numRuns: 60 },
    );
  });
});
