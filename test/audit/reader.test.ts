import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type AuditEvent, type AuditFilter, readAudit } from '#audit/reader.ts';
import { facts, handClock, openTestAudit, signer, tempDir } from './support/audit-kit.ts';

const all: AuditFilter = {
  user: undefined,
  tool: undefined,
  backend: undefined,
  outcome: undefined,
  since: undefined,
  until: undefined,
};
let dir = '';
beforeEach(() => {
  dir = tempDir();
  return () => rmSync(dir, { recursive: true, force: true });
});

async function read(over: Partial<Parameters<typeof readAudit>[0]> = {}): Promise<AuditEvent[]> {
  const options = {
    dir,
    filter: all,
    last: undefined,
    follow: false,
    verifier: signer,
    signal: AbortSignal.timeout(5_000),
  };
  return Array.fromAsync(readAudit({ ...options, ...over }));
}
function toolsOf(events: readonly AuditEvent[]): unknown[] {
  return events.flatMap((event) =>
    event.kind === 'record' && event.record.kind === 'call' ? [event.record.fields.tool] : [],
  );
}
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `t${from + index}`);

test('everything, in order, over many files', async () => {
  const audit = await openTestAudit(dir, { rotateBytes: 5_000 });
  for (let index = 0; index < 2_500; index++) await audit.record(facts({ tool: `t${index}` }));
  await audit.close();
  expect(readdirSync(dir).length).toBeGreaterThan(100);
  expect(toolsOf(await read())).toEqual(numbers(0, 2_500));
  expect(toolsOf(await read({ last: 50 }))).toEqual(numbers(2_450, 2_500));
});

test('two processes are shown as one sequence, by time', async () => {
  const clock = handClock();
  const [one, two] = [await openTestAudit(dir, { clock }), await openTestAudit(dir, { clock })];
  for (let index = 0; index < 20; index++) {
    clock.add(10);
    await (index % 3 === 0 ? one : two).act('admin', { action: `t${index}` });
  }
  await one.close();
  await two.close();
  const actions = (await read()).flatMap((event) =>
    event.kind === 'record' ? [event.record.fields.action] : [],
  );
  expect(actions.filter((action) => String(action).startsWith('t'))).toEqual(numbers(0, 20));
});

test('since begins at that moment, and does not read the files before it', async () => {
  const clock = handClock();
  const audit = await openTestAudit(dir, { clock });
  for (let day = 0; day < 5; day++) {
    await audit.record(facts({ tool: `t${day}` }));
    await audit.act('admin', {});
    clock.add(24 * 3_600_000);
  }
  await audit.close();
  const first = readdirSync(dir).find((name) => name.includes('000001'));
  writeFileSync(join(dir, first ?? ''), 'unreadable\n');
  const since = handClock().now() + 3 * 24 * 3_600_000;
  expect(toolsOf(await read({ filter: { ...all, since } }))).toEqual(['t3', 't4']);
});

test('a break is told where it is, and reading goes on', async () => {
  const audit = await openTestAudit(dir);
  for (let index = 0; index < 10; index++) await audit.record(facts({ tool: `t${index}` }));
  await audit.close();
  const path = join(dir, readdirSync(dir).find((name) => name.endsWith('.jsonl')) ?? '');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"tool":"t4"', '"tool":"t9"'));
  const events = await read();
  expect(events.filter((event) => event.kind === 'break')).toMatchObject([
    { line: 6, problem: { reason: 'edited' } },
  ]);
  expect(toolsOf(events)).toEqual(['t0', 't1', 't2', 't3', 't9', 't5', 't6', 't7', 't8', 't9']);
});

test('following shows new records, of new files and of processes that start later, and ends when told', async () => {
  const stop = new AbortController();
  const seen: unknown[] = [];
  const audit = await openTestAudit(dir, { rotateBytes: 1_000 });
  await audit.record(facts({ tool: 'before' }));
  await audit.act('admin', {});
  const following = (async () => {
    const events = readAudit({
      dir,
      filter: all,
      last: 0,
      follow: true,
      verifier: signer,
      signal: stop.signal,
    });
    for await (const event of events) {
      seen.push(...toolsOf([event]));
      expect(event.kind).toBe('record');
    }
  })();
  await Bun.sleep(300);
  const other = await openTestAudit(dir);
  for (let index = 0; index < 5; index++) {
    await audit.record(facts({ tool: `t${index}` }));
    await audit.act('admin', {});
    await Bun.sleep(60);
  }
  await other.record(facts({ tool: 'other' }));
  await other.close();
  await audit.close();
  for (let tries = 0; seen.length < 6 && tries < 100; tries++) await Bun.sleep(50);
  stop.abort();
  await following;
  expect(seen.filter((tool) => tool !== 'other')).toEqual(numbers(0, 5));
  expect(seen).toContain('other');
});

test('files that retention removes while they are read are passed over', async () => {
  const stop = new AbortController();
  const audit = await openTestAudit(dir, { rotateBytes: 600 });
  for (let index = 0; index < 30; index++) await audit.record(facts({ tool: `t${index}` }));
  await audit.close();
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  const seen: unknown[] = [];
  for await (const event of readAudit({
    dir,
    filter: all,
    last: undefined,
    follow: false,
    verifier: signer,
    signal: stop.signal,
  })) {
    seen.push(...toolsOf([event]));
    for (const name of names.splice(0, names.length - 3)) rmSync(join(dir, name));
  }
  expect(seen.at(-1)).toBe('t29');
  expect(seen.length).toBeLessThan(30);
});
