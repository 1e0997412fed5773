import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CallIndex, createCallIndex } from '#audit/call-index.ts';
import { createPseudonyms, type Pseudonyms } from '#audit/pseudonyms.ts';
import type { CallFacts } from '#audit/record.ts';
import { silentLog } from '#kernel/log.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import {
  facts,
  handClock,
  openTestAudit,
  principal,
  recordingLog,
  ringOf,
  tempDir,
} from './support/audit-kit.ts';

let dir: string;
let store: Store;
let clock: ReturnType<typeof handClock>;
beforeEach(() => {
  dir = tempDir();
  store = openSqliteStore(':memory:');
  clock = handClock();
  return async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  };
});

const retentionMs = 365 * 24 * 3_600_000;
const indexOf = (over: Partial<Parameters<typeof createCallIndex>[0]> = {}): CallIndex =>
  createCallIndex({ store, clock, log: silentLog, retentionMs, ...over });
const pseudonymsOf = (index?: CallIndex): Pseudonyms =>
  createPseudonyms({
    keys: ringOf(2),
    store,
    clock,
    log: silentLog,
    ...(index === undefined ? {} : { beforeForget: (names) => index.erase(names) }),
  });
async function recorded(index: CallIndex | undefined, calls: readonly Partial<CallFacts>[]): Promise<void> {
  let catchingUp: Promise<void> | undefined;
  const watched = index && {
    ...index,
    catchUp(from: string) {
      catchingUp = index.catchUp(from);
      return catchingUp;
    },
  };
  const audit = await openTestAudit(dir, {
    clock,
    pseudonyms: pseudonymsOf(),
    ...(watched === undefined ? {} : { index: watched }),
  });
  for (const call of calls) {
    clock.add(1_000);
    await audit.record(facts(call));
  }
  // A start that is cut short leaves no mark, and is read again.
  await catchingUp;
  await audit.close();
}
const toolsOf = async (index: CallIndex, subject = 'u1', count = 20) =>
  (await index.recent(await pseudonymsOf().names(principal(subject), 2), count)).map(({ tool }) => tool);

describe('the index of recent calls', () => {
  test('has what a person did, newest first, and nobody else’s', async () => {
    const index = indexOf();
    await recorded(index, [
      { tool: 'notes_list' },
      { tool: 'notes_add', outcome: 'error', code: 'backend_timeout', latencyMs: 1_234.5 },
      { tool: 'secret_tool', principal: principal('u2') },
      { tool: undefined, method: 'tools/list' },
      { tool: 'note', method: 'resources/read', principal: undefined },
    ]);
    expect(await toolsOf(index)).toEqual(['notes_add', 'notes_list']);
    expect(await toolsOf(index, 'u1', 1)).toEqual(['notes_add']);
    expect(await toolsOf(index, 'u2')).toEqual(['secret_tool']);
    expect(await toolsOf(index, 'u3')).toEqual([]);
    const [newest] = await index.recent(await pseudonymsOf().names(principal(), 2), 1);
    expect(newest).toMatchObject({
      outcome: 'error',
      code: 'backend_timeout',
      ms: 1_234.5,
      backend: 'notes',
    });
    expect(JSON.stringify(await store.all('SELECT * FROM audit_calls'))).not.toMatch(/u1|u2|example|rent/);
  });

  test('finds a call across the end of a month, when everybody gets another name', async () => {
    clock.set(Date.UTC(2026, 2, 31, 23, 59, 58));
    const index = indexOf();
    await recorded(index, [{ tool: 'in_march' }, { tool: 'in_april' }]);
    expect(await toolsOf(index)).toEqual(['in_april', 'in_march']);
  });

  test('keeps the newest of a person who calls without end, and those of everybody else', async () => {
    const index = indexOf();
    await recorded(index, [
      { tool: 'quiet', principal: principal('u2') },
      ...Array.from({ length: 400 }, (_value, number) => ({ tool: `t${number}` })),
    ]);
    const kept = await toolsOf(index, 'u1', 1_000);
    expect(kept.length).toBeGreaterThanOrEqual(30);
    expect(kept.length).toBeLessThanOrEqual(60);
    expect(kept[0]).toBe('t399');
    expect(await toolsOf(index, 'u2')).toEqual(['quiet']);
  });

  test('is made again from the files where it is new', async () => {
    await recorded(undefined, [{ tool: 'before' }, { tool: 'after' }]);
    const index = indexOf();
    await recorded(index, [{ tool: 'live' }]);
    expect(await toolsOf(index)).toEqual(['live', 'after', 'before']);
  });

  test('reads what a crash kept from it, once, and nothing twice', async () => {
    const first = indexOf();
    await recorded(first, [{ tool: 'a' }]);
    await recorded(undefined, [{ tool: 'b' }]);
    const second = indexOf();
    await recorded(second, [{ tool: 'c' }]);
    expect(await toolsOf(second)).toEqual(['c', 'b', 'a']);

    await store.run('DELETE FROM audit_calls');
    const third = indexOf();
    await recorded(third, []);
    // What was read once is not read again.
    expect(await toolsOf(third)).not.toContain('a');
    await store.run('DELETE FROM audit_call_marks');
    const fourth = indexOf();
    await recorded(fourth, []);
    expect(await toolsOf(fourth)).toEqual(['c', 'b', 'a']);
  });

  test('forgets what is older than two months, and what the retention forbids', async () => {
    const index = indexOf();
    await recorded(index, [{ tool: 'old' }]);
    clock.add(63 * 24 * 3_600_000);
    const later = indexOf();
    await recorded(later, [{ tool: 'new' }]);
    expect((await store.all('SELECT tool FROM audit_calls')).length).toBe(1);

    clock.add(2 * 24 * 3_600_000);
    const strict = indexOf({ retentionMs: 24 * 3_600_000 });
    await recorded(strict, [{ tool: 'newest' }]);
    expect(await store.all('SELECT tool FROM audit_calls')).toEqual([{ tool: 'newest' }]);
  });

  test('goes with the pseudonyms of a user who is erased', async () => {
    const index = indexOf();
    await recorded(index, [{ tool: 'mine' }, { tool: 'theirs', principal: principal('u2') }]);
    const { issuer, subject } = principal();
    await pseudonymsOf(index).forget(issuer, subject);
    expect(await store.all('SELECT tool FROM audit_calls')).toEqual([{ tool: 'theirs' }]);
    expect(await pseudonymsOf().names(principal(), 2)).toEqual([]);
  });

  test('that cannot be written is loud, stops no call, and catches up at the next start', async () => {
    const log = recordingLog();
    const broken: Store = {
      ...store,
      batch: () => Promise.reject(new Error('database or disk is full')),
    };
    await recorded(indexOf({ store: broken, log }), [{ tool: 'lost' }]);
    expect(log.events.map(({ event }) => event)).toContain('audit.index_failed');
    const index = indexOf();
    await recorded(index, [{ tool: 'next' }]);
    expect(await toolsOf(index)).toEqual(['next', 'lost']);
  });

  test('names of a rotated audit key are found as well', async () => {
    const index = indexOf();
    await recorded(index, [{ tool: 'under the old key' }]);
    const rotated = createPseudonyms({ keys: ringOf(3, 2), store, clock, log: silentLog });
    const found = await index.recent(await rotated.names(principal(), 2), 10);
    expect(found.map(({ tool }) => tool)).toEqual(['under the old key']);
  });
});
