import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import type { SnapshotListener } from '#catalog/publisher.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { createBaselineKeeper, type SeenBaseline } from '#integrity/baseline-keeper.ts';
import { createIntegrityGuard, type IntegrityGuard, type IntegrityMode } from '#integrity/guard.ts';
import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { newKeyLine } from '#keys/key-file.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';
import { backendId, tool } from '../catalog/samples.ts';
import { createMovingClock } from '../support/moving-clock.ts';

let folder = '';
let guard: IntegrityGuard | undefined;
const seen = new Map<string, SeenBaseline>();
const ring = parseKeyRing(newKeyLine());
const events: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cortex-guard-'));
  seen.clear();
  events.length = 0;
});
afterEach(async () => {
  await guard?.close();
  await rm(folder, { recursive: true, force: true });
});

function snapshotOf(count: number, description = 'Does it.'): Snapshot {
  const names = Array.from({ length: count }, (_, index) => `tool${index}`);
  const tools = names.map((name) => ({
    publicName: `notes_${name}`,
    backend: backendId('notes'),
    paramHeaders: [],
    definition: tool(name, { description, wire: { description, inputSchema: { type: 'object' } } }),
  }));
  return { ...emptySnapshot, tools: new Map(tools.map((one) => [one.publicName, one])) };
}

/** A guard over a catalog that the test replaces. */
function made(first: Snapshot, mode: IntegrityMode = 'block') {
  let raw = first;
  let asked = 0;
  let tell: SnapshotListener | undefined;
  const made = createIntegrityGuard({
    catalog: {
      snapshot: () => raw,
      onChange(listener) {
        tell = listener;
        return () => {};
      },
    },
    keeper: createBaselineKeeper({
      path: join(folder, 'baseline.jsonl'),
      isOperatorSigned: false,
      keys() {
        asked += 1;
        if (!ring.ok) throw new Error(ring.error);
        const signer = createSigner(ring.value);
        return { verifier: signer, signer };
      },
      memory: {
        load: (path) => Promise.resolve(seen.get(path)),
        save: async (path, one) => void seen.set(path, one),
      },
      clock: createMovingClock(),
      log: silentLog,
    }),
    mode: () => mode,
    scans: () => true,
    scopesAreOurs: () => false,
    pinsNew: true,
    clock: createMovingClock(),
    schedule: systemSchedule,
    log: {
      ...silentLog,
      warn: (event) => events.push(event),
      info: (event) => events.push(event),
      error: (event) => events.push(event),
    },
    act: () => {},
  });
  guard = made;
  return {
    guard: made,
    keysMade: () => asked,
    replace(next: Snapshot) {
      const before = raw;
      raw = next;
      tell?.(before, next);
    },
  };
}

describe('the guard', () => {
  test('makes no start wait: nothing is read, verified or compared before somebody asks for a list', async () => {
    const first = made(snapshotOf(3));
    await first.guard.open();
    first.guard.snapshot();
    await first.guard.close();

    const { guard: again, keysMade, replace } = made(snapshotOf(3));
    await again.open();
    replace(snapshotOf(3));
    expect([keysMade(), events.filter((event) => event === 'integrity.pinned').length]).toEqual([0, 1]);
    expect(again.snapshot().tools.size).toBe(3);
    expect(keysMade()).toBe(1);
  });

  test('shows nothing before it is open, whoever asks', () => {
    expect(made(snapshotOf(3)).guard.snapshot().tools.size).toBe(0);
  });

  test('compares by itself a moment after the start, and never reads the file where it is off', async () => {
    const { guard: on, replace } = made(emptySnapshot);
    await on.open();
    replace(snapshotOf(2));
    await expect.poll(() => events).toContain('integrity.pinned');
    await on.close();
    await writeFile(join(folder, 'baseline.jsonl'), 'broken');
    const { guard: off, keysMade } = made(snapshotOf(2), 'off');
    await off.open();
    expect(off.snapshot().tools.size).toBe(2);
    await off.look();
    expect([off.problem(), keysMade()]).toEqual([undefined, 0]);
  });

  test('gives each quarantine a generation of its own, and none to what shows the same', async () => {
    const { guard: one, replace } = made(snapshotOf(3));
    await one.open();
    const generations = [one.snapshot().generation];
    replace(snapshotOf(3));
    replace(snapshotOf(3, 'Other.'));
    generations.push(one.snapshot().generation);
    expect(one.snapshot().quarantined.tools.size).toBe(3);
    // Still withheld, only with other words: nobody's list is another.
    replace(snapshotOf(3, 'And other again.'));
    generations.push(one.snapshot().generation);
    replace(snapshotOf(3));
    generations.push(one.snapshot().generation);
    expect(new Set([generations[0], generations[1], generations[3]]).size).toBe(3);
    expect(generations[2]).toBe(generations[1]);
  });

  test('tells of fifty alarms of one change, and counts the rest', async () => {
    const { guard: one, replace } = made(snapshotOf(60));
    await one.open();
    one.snapshot();
    replace(snapshotOf(60, 'Other.'));
    expect(events.filter((event) => event === 'integrity.changed')).toHaveLength(50);
    expect(events).toContain('integrity.more');
    expect(one.alarms()).toHaveLength(60);
  });

  test('warns of texts that hide something, once, and withholds nothing for it', async () => {
    const { guard: one, replace } = made(snapshotOf(2, 'Does\u200b it.'));
    await one.open();
    expect(one.snapshot().tools.size).toBe(2);
    await expect.poll(() => one.warnings().length).toBe(2);
    expect(one.warnings()[0]).toMatchObject({ field: 'description', finding: { reason: 'invisible' } });
    expect(events.filter((event) => event === 'integrity.suspicious_text')).toHaveLength(2);
    replace(snapshotOf(2, 'Does it.'));
    await expect.poll(() => one.warnings()).toEqual([]);
  });

  test('writes the baseline whole: a reader at any moment finds a good one', async () => {
    const { guard: one, replace } = made(emptySnapshot);
    await one.open();
    one.snapshot();
    const path = join(folder, 'baseline.jsonl');
    let reads = 0;
    for (let round = 1; round < 30; round += 1) {
      replace(snapshotOf(round));
      await Bun.sleep(1);
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      reads += 1;
      const [head = '', ...lines] = text.trimEnd().split('\n');
      expect(JSON.parse(head).items).toBe(lines.length);
    }
    await one.close();
    expect(reads).toBeGreaterThan(0);
    expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(30);
  });
});
