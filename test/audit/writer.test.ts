import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditFile } from '#audit/audit-file.ts';
import { type AuditWriter, createAuditWriter, type Durability } from '#audit/writer.ts';
import { limits } from '#kernel/limits.ts';
import { stopwatch } from '../support/stopwatch.ts';

/** A disk that says what it does, and fails when told to. */
function disk(path = 'one') {
  let content = Buffer.alloc(0);
  const steps: string[] = [];
  const state = { failWrites: 0, tearAt: 0, failSyncs: 0, syncMs: 0, durable: '' };
  const file: AuditFile = {
    path,
    async write(bytes, position) {
      await Bun.sleep(0);
      const isFailing = state.failWrites > 0;
      if (isFailing) state.failWrites -= 1;
      const part = isFailing ? bytes.subarray(0, state.tearAt) : bytes;
      const grown = Buffer.alloc(Math.max(content.length, position + part.length));
      content.copy(grown);
      Buffer.from(part).copy(grown, position);
      content = grown;
      steps.push(`write ${part.length}`);
      if (isFailing) throw new Error('ENOSPC: no space left on device');
    },
    async sync() {
      const before = content.toString();
      await Bun.sleep(state.syncMs);
      if (state.failSyncs > 0) {
        state.failSyncs -= 1;
        steps.push('sync failed');
        throw new Error('EIO: i/o error');
      }
      state.durable = before;
      steps.push('sync');
    },
    async truncate(length) {
      content = content.subarray(0, length);
      steps.push(`truncate ${length}`);
    },
    async close() {
      steps.push('close');
    },
  };
  return { file, state, steps, text: () => content.toString() };
}

let failures: unknown[] = [];
let recoveries = 0;
beforeEach(() => {
  failures = [];
  recoveries = 0;
});

function writerOn(file: AuditFile, durability: Durability, copy?: (lines: string) => void): AuditWriter {
  return createAuditWriter({
    file,
    size: 0,
    durability,
    copy,
    events: { failed: (error) => failures.push(error), recovered: () => void recoveries++ },
  });
}
const waitFor = async (isTrue: () => boolean) => {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 400) throw new Error('waited too long');
    await Bun.sleep(10);
  }
};

describe('batches', () => {
  test('lines wait for 50 ms, then go in one write and one sync', async () => {
    const { file, steps } = disk();
    const writer = writerOn(file, 'batch');
    for (const line of ['a', 'b', 'c']) writer.append(line, false);
    await Bun.sleep(5);
    expect(steps).toEqual([]);
    await waitFor(() => steps.length === 2);
    expect(steps).toEqual(['write 6', 'sync']);
    expect(writer.pending()).toBe(0);
  });

  test('256 lines wait for nothing', async () => {
    const { file, steps } = disk();
    const writer = writerOn(file, 'batch');
    for (let index = 0; index < limits.auditBatchRecords; index++) writer.append('x', false);
    await Bun.sleep(10);
    expect(steps[0]).toBe(`write ${2 * limits.auditBatchRecords}`);
    await writer.close();
  });

  test('with durability checkpoint only a line that asks for it is synced', async () => {
    const { file, steps } = disk();
    const writer = writerOn(file, 'checkpoint');
    writer.append('a', false);
    await waitFor(() => steps.length > 0);
    await Bun.sleep(5);
    expect(steps).toEqual(['write 2']);
    writer.append('signed', true);
    await waitFor(() => steps.includes('sync'));
    expect(steps).toEqual(['write 2', 'write 7', 'sync']);
  });

  test('a slow sync holds up no write', async () => {
    const { file, state, steps, text } = disk();
    state.syncMs = 300;
    const writer = writerOn(file, 'batch');
    writer.append('a', false);
    await waitFor(() => steps.length === 1);
    writer.append('b', false);
    await Bun.sleep(120);
    expect(text()).toBe('a\nb\n');
    expect(steps).not.toContain('sync');
    await writer.close();
    expect(state.durable).toBe('a\nb\n');
  });

  test('the copy sees every line once, also those that are written twice', async () => {
    const { file, state } = disk();
    const copied: string[] = [];
    const writer = writerOn(file, 'batch', (lines) => copied.push(lines));
    state.failWrites = 1;
    writer.append('a', false);
    expect(await writer.settled()).toBe(false);
    writer.append('b', false);
    await writer.close();
    expect(copied.join('')).toBe('a\nb\n');
  });
});

describe('durability call', () => {
  test('a line is settled only after it is written and synced', async () => {
    const { file, steps } = disk();
    const writer = writerOn(file, 'call');
    writer.append('a', false);
    expect(await writer.settled()).toBe(true);
    expect(steps).toEqual(['write 2', 'sync']);
  });

  test('lines that arrive while a sync runs share the next one', async () => {
    const { file, state, steps } = disk();
    state.syncMs = 20;
    const writer = writerOn(file, 'call');
    const answers: Promise<boolean>[] = [];
    for (let index = 0; index < 100; index++) {
      writer.append(`line ${index}`, false);
      answers.push(writer.settled());
      if (index % 10 === 0) await Bun.sleep(1);
    }
    expect(await Promise.all(answers)).toEqual(answers.map(() => true));
    expect(steps.filter((step) => step === 'sync').length).toBeLessThan(10);
  });
});

describe('failures', () => {
  test('a torn write is cut off, kept in memory and written when there is room again', async () => {
    const { file, state, text, steps } = disk();
    const writer = writerOn(file, 'batch');
    writer.append('first', false);
    await writer.settled();
    Object.assign(state, { failWrites: 1, tearAt: 3 });
    writer.append('second', false);
    expect(await writer.settled()).toBe(false);
    expect(writer.isFailing()).toBe(true);
    expect(text()).toBe('first\n');
    expect(steps).toContain('truncate 6');
    writer.append('third', false);
    await waitFor(() => recoveries === 1);
    expect(writer.isFailing()).toBe(false);
    expect(await writer.settled()).toBe(true);
    expect(text()).toBe('first\nsecond\nthird\n');
    expect(failures).toHaveLength(1);
    expect(writer.pending()).toBe(0);
  });

  test('after a failed sync everything not synced is written again: the system may have dropped it', async () => {
    const { file, state, steps } = disk();
    const writer = writerOn(file, 'checkpoint');
    writer.append('a', false);
    await waitFor(() => steps.length === 1);
    state.failSyncs = 1;
    writer.append('b', true);
    await waitFor(() => failures.length === 1);
    await waitFor(() => recoveries === 1);
    expect(await writer.settled()).toBe(true);
    expect(steps.filter((step) => step.startsWith('write'))).toHaveLength(4);
    expect(steps.slice(0, 4)).toEqual(['write 2', 'write 2', 'sync failed', 'write 2']);
    expect(state.durable).toBe('a\nb\n');
  });

  test('a sync that fails while a write is under way loses neither', async () => {
    const { file, state, text } = disk();
    state.syncMs = 15;
    const writer = writerOn(file, 'call');
    state.failSyncs = 1;
    for (let index = 0; index < 40; index++) {
      writer.append(`line ${index}`, false);
      await Bun.sleep(1);
    }
    await waitFor(() => recoveries === 1);
    expect(await writer.close()).toBe(true);
    expect(text()).toBe(Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(''));
    expect(state.durable).toBe(text());
  });

  test('while it fails nobody waits', async () => {
    const { file, state } = disk();
    const writer = writerOn(file, 'call');
    state.failWrites = 2;
    writer.append('a', false);
    expect(await writer.settled()).toBe(false);
    writer.append('b', false);
    const elapsedMs = stopwatch();
    expect(await writer.settled()).toBe(false);
    expect(elapsedMs()).toBeLessThan(100);
    await writer.close();
  });

  test('closing tries once more, and says when lines were lost', async () => {
    const good = disk();
    const first = writerOn(good.file, 'batch');
    good.state.failWrites = 1;
    first.append('a', false);
    expect(await first.close()).toBe(true);
    expect(good.text()).toBe('a\n');
    const bad = disk();
    const second = writerOn(bad.file, 'batch');
    bad.state.failWrites = 99;
    second.append('a', false);
    expect(await second.close()).toBe(false);
    expect(second.pending()).toBeGreaterThan(0);
  });
});

describe('a change of file', () => {
  test('the next file exists before the last line of this one is written, and this one is synced before the next begins', async () => {
    const one = disk('one');
    const two = disk('two');
    const writer = writerOn(one.file, 'checkpoint');
    const order: string[] = [];
    writer.append('a', false);
    writer.rotate(async () => {
      order.push(`made after: ${one.text()}`);
      return two.file;
    }, 'last');
    writer.append('b', false);
    await writer.settled();
    expect(order).toEqual(['made after: a\n']);
    expect(one.steps.slice(-3)).toEqual(['write 5', 'sync', 'close']);
    expect(two.text()).toBe('b\n');
  });

  test('a file that cannot be made is tried again, and nothing is lost', async () => {
    const one = disk('one');
    const two = disk('two');
    let tries = 0;
    const writer = writerOn(one.file, 'batch');
    writer.append('a', false);
    writer.rotate(async () => {
      tries += 1;
      if (tries === 1) throw new Error('ENOSPC');
      return two.file;
    }, 'last');
    writer.append('b', false);
    await waitFor(() => recoveries === 1);
    expect(await writer.settled()).toBe(true);
    expect([one.text(), two.text()]).toEqual(['a\nlast\n', 'b\n']);
  });
});
