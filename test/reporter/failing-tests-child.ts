import { beforeAll, describe, expect, test } from 'vitest';

// What a run can have against itself; test/reporter/failure-list.test.ts has it run, and reads how the run ends.
test('is well', () => expect(1).toBe(1));

test('finds another value', () => expect({ port: 1 }).toEqual({ port: 2 }));

describe('a group', () => {
  beforeAll(() => {
    throw new Error('cannot begin');
  });
  test('never runs', () => expect(1).toBe(1));
});

test('leaves an error behind', async () => {
  setTimeout(() => {
    throw new Error('too late');
  }, 1);
  await Bun.sleep(50);
});
