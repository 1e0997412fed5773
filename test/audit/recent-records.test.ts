import { expect, test } from 'vitest';
import { createRecentRecords } from '#audit/recent-records.ts';

const record = (seq: number, kind = 'call') => ({ kind, seq, time: seq, fields: {}, path: undefined });

test('the newest records are kept, newest first, and no more than so many', () => {
  const records = createRecentRecords(4);
  expect(records.newest(10, () => true)).toEqual([]);
  for (let seq = 1; seq <= 3; seq += 1) records.add(record(seq));
  expect(records.newest(10, () => true).map(({ seq }) => seq)).toEqual([3, 2, 1]);
  for (let seq = 4; seq <= 9; seq += 1) records.add(record(seq, seq % 2 === 0 ? 'admin' : 'call'));
  expect(records.newest(10, () => true).map(({ seq }) => seq)).toEqual([9, 8, 7, 6]);
  expect(records.newest(1, ({ kind }) => kind === 'admin').map(({ seq }) => seq)).toEqual([8]);
  expect([records.find(7)?.seq, records.find(5)]).toEqual([7, undefined]);
});
