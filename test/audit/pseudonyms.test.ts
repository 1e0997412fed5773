import { beforeEach, describe, expect, test } from 'vitest';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import { limits } from '#kernel/limits.ts';
import { principalKey } from '#kernel/principal.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { handClock, recordingLog, ringOf } from './support/audit-kit.ts';

const issuer = 'https://auth.example.com';
const keys = ringOf(2);
let store: Store;
let clock = handClock();
beforeEach(() => {
  store = openSqliteStore(':memory:');
  clock = handClock();
});

function make(over: Partial<Parameters<typeof createPseudonyms>[0]> = {}) {
  return createPseudonyms({ keys, store, clock, log: recordingLog(), ...over });
}
function person(issuer: string, subject: string) {
  return { issuer, subject, key: principalKey(issuer, subject) };
}
async function rows(): Promise<readonly unknown[]> {
  return store.all('SELECT * FROM audit_pseudonyms');
}

test('one principal has one name within a month, also after a restart and in another process', async () => {
  const pseudonyms = make();
  const name = await pseudonyms.of(person(issuer, 'u1'));
  expect(name).toMatch(/^[\w-]{22}$/);
  expect(pseudonyms.of(person(issuer, 'u1'))).toBe(name);
  expect(await make().of(person(issuer, 'u1'))).toBe(name);
  const [a, b] = await Promise.all([make().of(person(issuer, 'u2')), make().of(person(issuer, 'u2'))]);
  expect(a).toBe(b);
});

test('another subject, issuer or month has an unrelated name', async () => {
  const pseudonyms = make();
  const names = [
    await pseudonyms.of(person(issuer, 'u1')),
    await pseudonyms.of(person(issuer, 'u2')),
    await pseudonyms.of(person('https://b', 'u1')),
  ];
  clock.set(Date.UTC(2026, 3, 1));
  names.push(await pseudonyms.of(person(issuer, 'u1')));
  clock.set(Date.UTC(2026, 2, 31, 23, 59));
  expect(await pseudonyms.of(person(issuer, 'u1'))).toBe(names[0]);
  expect(new Set(names).size).toBe(4);
  expect(await rows()).toHaveLength(3);
});

test('erasing a principal unlinks its records: the same key and the same person give another name', async () => {
  const pseudonyms = make();
  const name = await pseudonyms.of(person(issuer, 'u1'));
  await pseudonyms.forget(issuer, 'u1');
  expect(await rows()).toEqual([]);
  expect(await pseudonyms.of(person(issuer, 'u1'))).not.toBe(name);
});

test('an erased row is not brought back by the next month of another process', async () => {
  const other = make();
  const march = await other.of(person(issuer, 'u1'));
  await make().forget(issuer, 'u1');
  clock.set(Date.UTC(2026, 3, 1));
  await other.of(person(issuer, 'u1'));
  clock.set(Date.UTC(2026, 2, 4));
  expect(await make().of(person(issuer, 'u1'))).not.toBe(march);
});

test('neither a row nor its key shows the person, and a row of one person does not serve another', async () => {
  const pseudonyms = make();
  await pseudonyms.of(person(issuer, 'alice@example.com'));
  await pseudonyms.of(person(issuer, 'bob@example.com'));
  expect(JSON.stringify(await rows())).not.toMatch(/alice|bob|example/);
  const bob = await make().of(person(issuer, 'bob@example.com'));
  await store.run('UPDATE audit_pseudonyms SET sealed = (SELECT max(sealed) FROM audit_pseudonyms)');
  const log = recordingLog();
  const swapped = make({ log });
  const names = [
    await swapped.of(person(issuer, 'alice@example.com')),
    await swapped.of(person(issuer, 'bob@example.com')),
  ];
  expect(names.filter((name) => name === bob).length).toBeLessThanOrEqual(1);
  expect(log.events.map((entry) => entry.event)).toContain('audit.pseudonym_row_unreadable');
});

test('without the audit key a guessed person cannot be confirmed', async () => {
  const name = await make().of(person(issuer, 'u1'));
  const guess = make({ keys: ringOf(3), store: openSqliteStore(':memory:') });
  expect(await guess.of(person(issuer, 'u1'))).not.toBe(name);
});

describe('rotation of the audit key', () => {
  test('rows of the old key move to the new one, and still serve when the old one is gone', async () => {
    await make().of(person(issuer, 'u1'));
    const rotated = await make({ keys: ringOf(5, 2) }).of(person(issuer, 'u1'));
    expect(await rows()).toHaveLength(1);
    expect(await make({ keys: ringOf(5) }).of(person(issuer, 'u1'))).toBe(rotated);
  });

  test('erasing removes the row under whichever key it was made', async () => {
    await make().of(person(issuer, 'u1'));
    await make({ keys: ringOf(5, 2) }).forget(issuer, 'u1');
    expect(await rows()).toEqual([]);
  });
});

describe('while the store fails', () => {
  test('names go on, stay the same, and their row is saved later', async () => {
    let isBroken = true;
    const run: Store['run'] = (sql, ...params) =>
      isBroken ? Promise.reject(new Error('disk full')) : store.run(sql, ...params);
    const log = recordingLog();
    const pseudonyms = make({ store: { ...store, run }, log });
    const name = await pseudonyms.of(person(issuer, 'u1'));
    expect(pseudonyms.of(person(issuer, 'u1'))).toBe(name);
    expect(log.events.map((entry) => entry.event)).toEqual(['audit.pseudonym_not_saved']);
    isBroken = false;
    clock.add(limits.auditRetryMs);
    expect(await pseudonyms.of(person(issuer, 'u1'))).toBe(name);
    expect(await make().of(person(issuer, 'u1'))).toBe(name);
  });
});

test('the names kept in memory are bounded', async () => {
  const pseudonyms = make();
  const first = await pseudonyms.of(person(issuer, 'u0'));
  for (let index = 1; index <= limits.maxPseudonyms; index++)
    await pseudonyms.of(person(issuer, `u${index}`));
  const again = pseudonyms.of(person(issuer, 'u0'));
  expect(again).toBeInstanceOf(Promise);
  expect(await again).toBe(first);
});

test('parameters have equal fingerprints within a month only, and only under the key', () => {
  const pseudonyms = make();
  const march = pseudonyms.fingerprint('{"to":"a@example.com"}');
  expect(pseudonyms.fingerprint('{"to":"a@example.com"}')).toBe(march);
  expect(make({ keys: ringOf(3) }).fingerprint('{"to":"a@example.com"}')).not.toBe(march);
  clock.set(Date.UTC(2026, 3, 1));
  expect(pseudonyms.fingerprint('{"to":"a@example.com"}')).not.toBe(march);
});
