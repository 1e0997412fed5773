import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditLog, AuditOptions } from '#audit/audit-log.ts';
import { createChain, newChainHead } from '#audit/chain.ts';
import { chainFile } from '#audit/files.ts';
import type { CallFacts } from '#audit/record.ts';
import { verifyAudit } from '#audit/verify.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { createSigner } from '#keys/signer.ts';
import {
  facts,
  handClock,
  openTestAudit,
  principal,
  recordingLog,
  ringOf,
  signer,
  tempDir,
} from './support/audit-kit.ts';

const dayMs = 24 * 3_600_000;
let dir = '';
let open: AuditLog[] = [];
beforeEach(() => {
  dir = tempDir();
  open = [];
});
afterEach(async () => {
  for (const audit of open) await audit.close();
  rmSync(dir, { recursive: true, force: true });
});

async function start(options: Partial<AuditOptions> = {}): Promise<AuditLog> {
  const audit = await openTestAudit(dir, options);
  open.push(audit);
  return audit;
}
function files(): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}
function records(names = files()): JsonObject[] {
  return names.flatMap((name) =>
    readFileSync(join(dir, name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const parsed: unknown = JSON.parse(line);
        if (!isJsonObject(parsed)) throw new Error('not an object');
        return parsed;
      }),
  );
}
const calls = () => records().filter((record) => record.kind === 'call');
const status = async () => (await verifyAudit(dir, signer)).status;
function onlyFile(): string {
  const [name] = files();
  if (name === undefined) throw new Error('no file');
  return join(dir, name);
}

describe('a record', () => {
  test('R33: holds the facts of one call, opens with v, kind, chain and seq, and names nobody', async () => {
    const clock = handClock(Date.UTC(2026, 2, 4, 10, 20, 30, 405));
    const audit = await start({ clock });
    expect(await audit.record(facts({ listBytes: 77, principal: principal('subject-of-alice') }))).toBe(true);
    expect(audit.record(facts({ listBytes: 77, principal: principal('subject-of-alice') }))).toBe(true);
    await audit.close();
    const [call] = calls();
    expect(Object.keys(call ?? {})).toEqual([
      'v',
      'kind',
      'chain',
      'seq',
      'time',
      'plan',
      'list_bytes',
      'backends',
      'user',
      'caller',
      'client',
      'agent',
      'method',
      'tool',
      'backend',
      'scopes',
      'mode',
      'outcome',
      'code',
      'ms',
      'request_bytes',
      'response_bytes',
      'params',
      'trace',
      'era',
      'prev',
    ]);
    expect(call).toMatchObject({
      v: 1,
      kind: 'call',
      seq: 2,
      time: '2026-03-04T10:20:30.405Z',
      plan: 'free',
      list_bytes: 77,
      backends: ['notes'],
      client: 'claude',
      agent: 'claude-code/2',
      method: 'tools/call',
      tool: 'notes_list',
      backend: 'notes',
      scopes: ['mcp:notes:read'],
      mode: 'propagate',
      outcome: 'ok',
      code: 'ok',
      ms: 1.23,
      request_bytes: 120,
      response_bytes: 340,
      trace: '4bf92f3577b34da6a3ce929d0e0e4736',
      era: 'modern',
    });
    const text = readFileSync(onlyFile(), 'utf8');
    for (const secret of ['alice', 'auth.example.com', 'person@', 'eyJ', 'rent', 'jti-1'])
      expect(text).not.toContain(secret);
  });

  test('a call refused before anyone was known has no user', async () => {
    const audit = await start();
    audit.record(facts({ principal: undefined, outcome: 'refused', code: 'no_token', params: undefined }));
    await audit.close();
    expect(calls()[0]).toMatchObject({ outcome: 'refused', code: 'no_token' });
    for (const key of ['user', 'client', 'plan', 'params']) expect(calls()[0]).not.toHaveProperty(key);
  });

  test('texts a client chose can neither break a line nor make it long', async () => {
    const audit = await start();
    const hostile = `x"},\n{"v":1,"kind":"checkpoint","sig":"\u2028${'\u0000'.repeat(100_000)}`;
    audit.record(
      facts({
        agent: hostile,
        tool: hostile,
        method: hostile,
        traceId: hostile,
        scopes: Array.from({ length: 5_000 }, () => hostile),
        backends: Array.from({ length: 5_000 }, () => 'notes-notes-notes-notes-'),
      }),
    );
    audit.record(facts());
    await audit.close();
    expect(await status()).toBe('intact');
    expect(calls()).toHaveLength(2);
    const longest = Math.max(
      ...readFileSync(onlyFile(), 'utf8')
        .split('\n')
        .map((line) => line.length),
    );
    expect(longest).toBeLessThan(limits.maxAuditLineBytes);
  });

  test('an act of an operator is on the disk when it is answered', async () => {
    const audit = await start({ durability: 'checkpoint' });
    expect(await audit.act('admin', { action: 'integrity.approve', actor: 'ops-token' })).toBe(true);
    expect(records().at(-1)).toMatchObject({
      kind: 'admin',
      action: 'integrity.approve',
      actor: 'ops-token',
    });
  });

  test('after the end nothing is recorded, and the caller is told', async () => {
    const audit = await start();
    await audit.close();
    expect(audit.record(facts())).toBe(false);
    expect(await audit.act('admin', { action: 'x' })).toBe(false);
    await audit.close();
  });
});

describe('checkpoints', () => {
  test('after every 1,000 records, and at the end', async () => {
    const audit = await start();
    for (let index = 0; index < 2_500; index++) await audit.record(facts());
    await audit.close();
    const at = records().flatMap((record, index) => (record.kind === 'checkpoint' ? [index] : []));
    expect(at).toEqual([1_000, 2_001, records().length - 1]);
    expect(await status()).toBe('intact');
  });

  test('a copy gets every line, checkpoints included, and one that fails stops nothing', async () => {
    const lines: string[] = [];
    const log = recordingLog();
    const copying = await start({ copy: (text) => void lines.push(text) });
    copying.record(facts());
    await copying.close();
    expect(lines.join('')).toBe(readFileSync(onlyFile(), 'utf8'));
    const failing = await start({
      log,
      copy: () => {
        throw new Error('EPIPE');
      },
    });
    failing.record(facts());
    await failing.act('admin', { action: 'x' });
    await failing.close();
    expect(log.events.map((entry) => entry.event)).toEqual(['audit.copy_failed']);
    expect(await status()).toBe('intact');
  });
});

describe('a start', () => {
  test('goes on with the chain of before', async () => {
    for (let run = 0; run < 3; run++) {
      const audit = await start();
      audit.record(facts());
      await audit.close();
    }
    expect(files()).toHaveLength(1);
    expect(await verifyAudit(dir, signer)).toMatchObject({ status: 'intact', chains: [{ firstSeq: 1 }] });
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
  });

  test('never shares a chain with another process: each has its own', async () => {
    const [one, two] = [await start(), await start()];
    one.record(facts());
    two.record(facts());
    await one.close();
    await two.close();
    const report = await verifyAudit(dir, signer);
    expect(report.status).toBe('intact');
    expect(report.chains).toHaveLength(2);
    expect(calls()).toHaveLength(2);
  });

  test('cuts off half a line, says so, and the chain holds', async () => {
    const first = await start();
    first.record(facts());
    await first.close();
    appendFileSync(onlyFile(), '{"v":1,"kind":"call","cha');
    const log = recordingLog();
    const second = await start({ log });
    await second.close();
    expect(records().find((record) => record.cut_bytes === 25)).toMatchObject({
      kind: 'admin',
      action: 'audit.opened',
    });
    expect(log.events[0]).toMatchObject({ event: 'audit.torn_end_cut', fields: { bytes: 25 } });
    expect(await status()).toBe('intact');
  });

  test('signs what a killed process left unsigned before anything else', async () => {
    const killed = await start();
    await killed.record(facts());
    await killed.act('admin', { action: 'x' });
    const copy = readFileSync(onlyFile());
    await killed.close();
    writeFileSync(onlyFile(), copy);
    const next = await start();
    await next.close();
    expect(records().map((record) => record.kind)).toEqual([
      'admin',
      'call',
      'admin',
      'checkpoint',
      'admin',
      'checkpoint',
    ]);
    expect(records()[4]).toMatchObject({ action: 'audit.opened', unanchored: 3, cut_bytes: 0 });
    expect(await status()).toBe('intact');
  });

  test('signs as much as a killed process can leave', async () => {
    const killed = await start();
    for (let index = 0; index < 1_700; index++) await killed.record(facts());
    await killed.act('admin', { action: 'x' });
    const copy = readFileSync(onlyFile());
    await killed.close();
    writeFileSync(onlyFile(), copy);
    await (await start()).close();
    expect(records().findLast((record) => record.action === 'audit.opened')).toMatchObject({
      unanchored: 702,
    });
    expect(await status()).toBe('intact');
  });

  test('takes zeros that a power cut left at the end for what they are', async () => {
    const first = await start();
    first.record(facts());
    await first.close();
    appendFileSync(onlyFile(), `${'\0'.repeat(4096)}"prev":"x"}\n{"half`);
    const second = await start();
    await second.close();
    expect(await status()).toBe('intact');
  });

  test('leaves a chain that was tampered with as it is, complains, and begins another', async () => {
    const first = await start();
    for (let index = 0; index < 5; index++) first.record(facts());
    await first.close();
    const path = onlyFile();
    const tampered = readFileSync(path, 'utf8').replace('"outcome":"ok"', '"outcome":"no"');
    writeFileSync(path, tampered);
    const log = recordingLog();
    const second = await start({ log });
    await second.close();
    expect(log.events[0]).toMatchObject({ event: 'audit.chain_broken', fields: { reason: 'edited' } });
    expect(readFileSync(path, 'utf8')).toBe(tampered);
    expect(files()).toHaveLength(2);
  });

  test.each([
    [
      'zeros written over a signed record',
      (text: string) => text.replace('"outcome":"ok"', '"outcome":"\0\0"'),
    ],
    [
      'a first record that begins nothing',
      (text: string) => text.replace(/"prev":"[^"]{43}"/, `"prev":"${'A'.repeat(43)}"`),
    ],
  ])('does not take %s for an accident', async (_name, change) => {
    const first = await start();
    for (let index = 0; index < 5; index++) first.record(facts());
    await first.close();
    const path = onlyFile();
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    const log = recordingLog();
    await (await start({ log })).close();
    expect(log.events[0]?.event).toBe('audit.chain_broken');
    expect(files()).toHaveLength(2);
  });

  test.each([
    ['another text', (line: string) => line.replace('"time":"20', '"time":"19')],
    ['nothing', (line: string) => line.replace(/"sig":"[^"]*"/, '"sig":""')],
    ['anything at all', (line: string) => line.replace(/"sig":"[^"]*"/, `"sig":"${'A'.repeat(86)}"`)],
  ])('does not go on behind a last checkpoint that signs %s', async (_name, forge) => {
    const first = await start();
    for (let index = 0; index < 50; index++) first.record(facts());
    await first.close();
    const path = onlyFile();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const forged = `${[...lines.slice(0, -1), forge(lines.at(-1) ?? '')].join('\n')}\n`;
    writeFileSync(path, forged);
    const log = recordingLog();
    await (await start({ log })).close();
    expect(log.events[0]).toMatchObject({ fields: { reason: 'bad_signature' } });
    expect(readFileSync(path, 'utf8')).toBe(forged);
    expect(files()).toHaveLength(2);
  });

  test('does not go on under a key that did not sign the chain', async () => {
    const first = await start();
    first.record(facts());
    await first.close();
    const log = recordingLog();
    const second = await start({ log, signer: createSigner(ringOf(7)) });
    await second.close();
    expect(log.events[0]).toMatchObject({ event: 'audit.chain_broken', fields: { reason: 'unknown_key' } });
    const third = await start({ signer: createSigner(ringOf(8, 7, 1)) });
    await third.close();
    expect((await verifyAudit(dir, createSigner(ringOf(8, 7, 1)))).status).toBe('intact');
  });
});

describe('change of file', () => {
  test('at the given size: each file goes on where the one before ended', async () => {
    const audit = await start({ rotateBytes: 10_000 });
    for (let index = 0; index < 100; index++) {
      audit.record(facts());
      if (index % 10 === 0) await Bun.sleep(1);
    }
    await audit.close();
    expect(files().length).toBeGreaterThan(4);
    for (const name of files()) expect(statSync(join(dir, name)).size).toBeLessThan(11_500);
    const [first, second] = files();
    expect(records([first ?? '']).at(-1)).toMatchObject({ kind: 'checkpoint', next: second });
    expect(await verifyAudit(dir, signer)).toMatchObject({
      status: 'intact',
      chains: [{ files: files().length }],
    });
  });

  test('at midnight UTC, also across a restart', async () => {
    const clock = handClock(Date.UTC(2026, 2, 4, 23, 59));
    const audit = await start({ clock });
    audit.record(facts());
    clock.add(120_000);
    audit.record(facts());
    await audit.close();
    expect(files()).toHaveLength(2);
    clock.add(dayMs);
    const later = await start({ clock });
    await later.close();
    expect(files()).toHaveLength(3);
    expect(await status()).toBe('intact');
  });

  test('cut short before the old file announced the new one: it goes on in the old one', async () => {
    const first = await start();
    first.record(facts());
    await first.close();
    const path = onlyFile();
    truncateSync(path, statSync(path).size - 30);
    const [chain] = records();
    writeFileSync(chainFile(dir, String(chain?.chain), 2).path, '');
    expect(await status()).toBe('broken');
    await (await start()).close();
    expect(files()).toHaveLength(1);
    expect(await status()).toBe('intact');
  });

  test('cut short after the announcement: it goes on in the empty new one', async () => {
    const chain = createChain(newChainHead('abcabcabcabc'), signer);
    const next = chainFile(dir, 'abcabcabcabc', 2);
    const now = Date.now();
    const lines = [chain.append('call', now, {}), chain.checkpoint(now, { next: next.name })];
    writeFileSync(chainFile(dir, 'abcabcabcabc', 1).path, `${lines.join('\n')}\n`);
    writeFileSync(next.path, '{"torn');
    await (await start()).close();
    expect(files()).toHaveLength(2);
    expect(records([next.name])[0]).toMatchObject({ seq: 3 });
    expect(await status()).toBe('intact');
  });
});

describe('retention', () => {
  async function daily(
    clock: ReturnType<typeof handClock>,
    days: number,
    options: Partial<AuditOptions> = {},
  ) {
    const audit = await start({ clock, retentionMs: 3 * dayMs, ...options });
    for (let day = 0; day < days; day++) {
      await audit.record(facts());
      await audit.act('admin', { action: 'x' });
      clock.add(dayMs);
    }
    return audit;
  }

  test('whole files that are old enough go, and the rest still verifies', async () => {
    const audit = await daily(handClock(), 8);
    await audit.close();
    const report = await verifyAudit(dir, signer);
    expect(report).toMatchObject({ status: 'intact', chains: [{ isShortened: true }] });
    expect(files().length).toBeLessThan(8);
    expect(files().length).toBeGreaterThan(2);
    expect(files()[0]).not.toContain('000001');
    expect(records().find((record) => record.kind === 'tombstone')).toMatchObject({ reason: 'retention' });
  });

  test('the same files removed by hand are found: the tombstone accounts for no more than retention removed', async () => {
    const audit = await daily(handClock(), 8);
    await audit.close();
    rmSync(join(dir, files()[0] ?? ''));
    const report = await verifyAudit(dir, signer);
    expect(report.chains[0]?.broken).toMatchObject({ line: 1, reason: 'history_missing' });
  });

  test('a chain that no process writes any more goes as well, one that is written does not', async () => {
    const clock = handClock();
    const held = await start({ clock });
    held.record(facts());
    await held.act('admin', { action: 'x' });
    const [one, two] = [await start({ clock }), await start({ clock })];
    for (const dead of [one, two]) {
      dead.record(facts());
      await dead.close();
    }
    const old = files();
    expect(old).toHaveLength(3);
    const heldFile = old.find((name) => records([name]).some((record) => record.action === 'x'));
    clock.add(10 * dayMs);
    // It goes on with one of the two chains that nobody holds, and removes the old files of both.
    const audit = await start({ clock, retentionMs: 3 * dayMs });
    audit.record(facts());
    await audit.close();
    expect(files().filter((name) => old.includes(name))).toEqual([heldFile]);
    await held.close();
    expect(await status()).toBe('intact');
  });

  test('a tombstone that no checkpoint covers accounts for nothing', async () => {
    const chain = createChain(newChainHead('abcabcabcabc'), signer);
    const lost = [chain.append('call', 0, {}), chain.checkpoint(0, {})];
    const { hash } = chain.head();
    const kept = [chain.append('call', 0, {}), chain.checkpoint(0, {})];
    expect(lost).toHaveLength(2);
    const forged = chain.tombstone(0, { of: 'abcabcabcabc', kept_from: 3, head: hash, reason: 'retention' });
    const path = chainFile(dir, 'abcabcabcabc', 1).path;
    writeFileSync(path, `${[...kept, forged].join('\n')}\n`);
    expect((await verifyAudit(dir, signer)).chains[0]?.broken).toMatchObject({ reason: 'history_missing' });
    writeFileSync(path, `${[...kept, forged, chain.checkpoint(0, {})].join('\n')}\n`);
    expect((await verifyAudit(dir, signer)).status).toBe('intact');
  });
});

describe('when records cannot be written', () => {
  // A folder in the place of the next file makes every later write fail, until it is removed.
  async function failing(options: Partial<AuditOptions>): Promise<{ audit: AuditLog; repair: () => void }> {
    const audit = await start({ rotateBytes: 1, ...options });
    await audit.act('admin', { action: 'first' });
    const chain = String(records()[0]?.chain);
    const blocked = [3, 4, 5].map((index) => chainFile(dir, chain, index).path);
    for (const path of blocked) await Bun.write(join(path, 'x'), 'x');
    await audit.act('admin', { action: 'second' });
    return { audit, repair: () => blocked.forEach((path) => void rmSync(path, { recursive: true })) };
  }
  const write: Partial<CallFacts> = { method: 'tools/call' };
  const list: Partial<CallFacts> = { method: 'tools/list' };
  const readOnly: Partial<CallFacts> = { method: 'tools/call', isReadOnly: true };

  test.each([
    ['deny-writes', { write: false, read: true, answers: [false, true, true] }],
    ['deny-all', { write: false, read: false, answers: [false, false, false] }],
    ['continue', { write: true, read: true, answers: [true, true, true] }],
  ] as const)('%s decides what may start and what may be answered', async (onFailure, expected) => {
    const { audit, repair } = await failing({ onFailure, durability: 'call' });
    expect(audit.admits(false)).toBe(expected.write);
    expect(audit.admits(true)).toBe(expected.read);
    const answers: boolean[] = [];
    for (const over of [write, list, readOnly]) answers.push(await audit.record(facts(over)));
    expect(answers).toEqual(expected.answers);
    repair();
    for (let tries = 0; tries < 400; tries++)
      await Bun.sleep(audit.admits(false) && onFailure !== 'continue' ? 0 : 5);
    await audit.close();
    expect(calls()).toHaveLength(3);
    expect(await status()).toBe('intact');
  });

  test('what does not fit into memory is counted, refused by policy, and confessed', async () => {
    const log = recordingLog();
    const { audit, repair } = await failing({ onFailure: 'deny-writes', log });
    const big = facts({ scopes: Array.from({ length: 100 }, () => 's'.repeat(128)), isReadOnly: false });
    let lost = 0;
    for (let index = 0; lost < 3; index++) {
      if ((await audit.record(big)) === false) lost += 1;
      if (index > 10_000) throw new Error('memory is not bounded');
    }
    expect(await audit.record(facts({ isReadOnly: true }))).toBe(true);
    repair();
    await audit.close();
    expect(records().find((record) => record.action === 'audit.records_lost')).toMatchObject({ count: 4 });
    expect(await status()).toBe('intact');
    expect(log.events.filter((entry) => entry.event === 'audit.write_failed')).toHaveLength(1);
  }, 60_000);

  test('records that are still unwritten at the end are reported', async () => {
    const log = recordingLog();
    const { audit, repair } = await failing({ log });
    audit.record(facts());
    await audit.close();
    repair();
    expect(log.events.at(-1)).toMatchObject({ event: 'audit.records_lost_at_close' });
  });
});

test('a folder that cannot be made fails the start', async () => {
  writeFileSync(join(dir, 'file'), '');
  await expect(openTestAudit(join(dir, 'file', 'audit'))).rejects.toThrow();
});

test('many people at once are told apart, each under one name', async () => {
  const audit = await start({ durability: 'call' });
  await Promise.all(
    Array.from({ length: 300 }, (_, index) =>
      audit.record(facts({ principal: principal(`u${index % 30}`) })),
    ),
  );
  await audit.close();
  expect(new Set(calls().map((call) => call.user)).size).toBe(30);
  expect(await status()).toBe('intact');
});
