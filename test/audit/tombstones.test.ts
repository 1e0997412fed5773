import { readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readAnchors } from '#audit/anchor-ledger.ts';
import { hashLine } from '#audit/line.ts';
import { verifyAudit } from '#audit/verify.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { createSigner } from '#keys/signer.ts';
import { keptAnchors } from './support/anchor-kit.ts';
import {
  facts,
  handClock,
  openTestAudit,
  recordingLog,
  ringOf,
  signer,
  tempDir,
} from './support/audit-kit.ts';

const dayMs = 24 * 3_600_000;
let dir = '';
beforeEach(() => {
  dir = tempDir();
  return () => rmSync(dir, { recursive: true, force: true });
});

function files(): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}
function linesOf(name: string): readonly string[] {
  return readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1);
}
function parsed(line: string): JsonObject {
  const value: unknown = JSON.parse(line);
  if (!isJsonObject(value)) throw new Error('no record');
  return value;
}
async function days(count: number, options: Parameters<typeof openTestAudit>[1] = {}) {
  const clock = handClock();
  const audit = await openTestAudit(dir, { clock, ...options });
  for (let day = 0; day < count; day++) {
    await audit.record(facts());
    await audit.act('admin', { action: 'x' });
    clock.add(dayMs);
  }
  return { audit, clock };
}
const brokenIn = async () =>
  (await verifyAudit(dir, signer)).chains.find((chain) => chain.broken !== undefined)?.broken;

describe('a tombstone', () => {
  /** Removes the first file, and adds a tombstone for it, linked as it must be, to the end of the last. */
  function bury(how: (line: string) => string): string {
    const [first = '', second = ''] = files();
    const last = files().at(-1) ?? '';
    const lines = linesOf(last);
    const end = parsed(lines.at(-1) ?? '');
    const kept = parsed(linesOf(second)[0] ?? '');
    const line = JSON.stringify({
      v: 1,
      kind: 'tombstone',
      chain: end.chain,
      seq: Number(end.seq) + 1,
      time: end.time,
      key: signer.keyId,
      of: end.chain,
      kept_from: kept.seq,
      head: kept.prev,
      last_time: end.time,
      reason: 'retention',
      prev: hashLine(lines.at(-1) ?? ''),
    });
    unlinkSync(join(dir, first));
    writeFileSync(join(dir, last), `${[...lines, how(line)].join('\n')}\n`);
    return last;
  }

  test.each([
    ['without a signature', (line: string) => line, 'bad_signature'],
    [
      'with the signature of a checkpoint',
      (line: string) => {
        const checkpoint = linesOf(files()[0] ?? '').findLast((one) => one.includes('"kind":"checkpoint"'));
        return line.replace(/\}$/, `,"sig":"${parsed(checkpoint ?? '').sig}"}`);
      },
      'bad_signature',
    ],
    [
      'signed with a key of the forger’s',
      (line: string) => {
        const forger = createSigner(ringOf(9));
        const unsigned = line.replace(signer.keyId, forger.keyId).slice(0, -1);
        return `${unsigned},"sig":"${forger.sign(Buffer.from(`cortex audit tombstone ${unsigned}`))}"}`;
      },
      'unknown_key',
    ],
  ])(
    'put in while the gateway is down, %s, is not signed by the next start: it is found, and the chain left alone',
    async (_name, how, reason) => {
      const { audit, clock } = await days(3);
      await audit.close();
      const last = bury(how);
      expect(await brokenIn()).toMatchObject({ file: last, line: linesOf(last).length, reason });
      const log = recordingLog();
      const next = await openTestAudit(dir, { clock, log });
      await next.record(facts());
      await next.close();
      expect(log.events[0]).toMatchObject({ event: 'audit.chain_broken', fields: { reason } });
      expect(await brokenIn()).toMatchObject({ file: last, reason });
      expect(linesOf(last).at(-1)).toContain('"kind":"tombstone"');
    },
  );

  test('of the retention’s own is signed by itself, and changing what it says is found', async () => {
    const { audit } = await days(8, { retentionMs: 3 * dayMs });
    await audit.close();
    expect((await verifyAudit(dir, signer)).status).toBe('intact');
    const name = files().find((file) => linesOf(file).some((line) => line.includes('"kind":"tombstone"')));
    const lines = [...linesOf(name ?? '')];
    const at = lines.findIndex((line) => line.includes('"kind":"tombstone"'));
    const tombstone = parsed(lines[at] ?? '');
    expect(tombstone).toMatchObject({
      key: signer.keyId,
      sig: expect.any(String),
      before: expect.any(String),
    });
    lines[at] = (lines[at] ?? '').replace(/"kept_from":\d+/, '"kept_from":9999');
    writeFileSync(join(dir, name ?? ''), `${lines.join('\n')}\n`);
    expect(await brokenIn()).toMatchObject({ file: name, line: at + 1, reason: 'bad_signature' });
  });
});

test('a change in a chain that retention shortened is found at its line, though it hides the tombstone', async () => {
  const { audit } = await days(8, { retentionMs: 3 * dayMs });
  await audit.close();
  const name = files()[0] ?? '';
  const [first = '', ...rest] = linesOf(name);
  writeFileSync(join(dir, name), `${[first.replace('"time":"2', '"time":"1'), ...rest].join('\n')}\n`);
  expect(await brokenIn()).toMatchObject({ file: name, line: 1, reason: 'edited' });
});

describe('anchors and retention', () => {
  const ledgerOf = async (lines: readonly string[]) => {
    const file = join(dir, 'anchors');
    writeFileSync(file, lines.join('\n'));
    return readAnchors([file], signer);
  };

  test('an anchor of what retention removed is accounted for by the tombstone', async () => {
    const { anchors, lines } = keptAnchors();
    const { audit } = await days(8, { retentionMs: 3 * dayMs, anchors });
    await audit.close();
    const report = await verifyAudit(dir, signer, await ledgerOf(lines));
    expect(report).toMatchObject({ status: 'intact', anchorProblems: [], chains: [{ isShortened: true }] });
    expect(report.chains[0]?.lastAnchor?.seq).toBe(report.chains[0]?.lastCheckpoint?.seq);
  });

  test('a whole chain that retention removed is accounted for, one that somebody removed is not', async () => {
    const { anchors, lines } = keptAnchors();
    const clock = handClock();
    const [one, two] = [
      await openTestAudit(dir, { clock, anchors }),
      await openTestAudit(dir, { clock, anchors: keptAnchors().anchors }),
    ];
    for (const audit of [one, two]) {
      await audit.record(facts());
      await audit.close();
    }
    const gone = String(parsed(lines[0] ?? '').chain);
    clock.add(10 * dayMs);
    const held = await openTestAudit(dir, { clock, retentionMs: 3 * dayMs });
    await Bun.sleep(200);
    await held.close();
    expect(files().some((name) => name.includes(gone) && linesOf(name).length > 0)).toBe(
      held.status().chain === gone,
    );
    expect(await verifyAudit(dir, signer, await ledgerOf(lines))).toMatchObject({ anchorProblems: [] });

    // What is young enough is missed.
    const late = keptAnchors();
    const lateAudit = await openTestAudit(dir, { clock, retentionMs: 3 * dayMs, anchors: late.anchors });
    const hidden = await openTestAudit(dir, { clock, retentionMs: 3 * dayMs, anchors: late.anchors });
    await hidden.record(facts());
    const { chain } = hidden.status();
    await hidden.close();
    await lateAudit.close();
    for (const name of files()) if (name.includes(chain)) unlinkSync(join(dir, name));
    const { status, anchorProblems } = await verifyAudit(dir, signer, await ledgerOf(late.lines));
    expect(status).toBe('broken');
    expect(anchorProblems).toMatchObject([{ file: 'anchors', reason: 'chain_missing' }]);
  });
});
