import { expect, test } from 'vitest';
import { createPersonalLists } from '#adapter/personal-lists.ts';
import { failure } from '#backends/failures.ts';
import { systemClock } from '#kernel/clock.ts';
import { err } from '#kernel/result.ts';
import { ada } from './setup.ts';

test('a fault while a server is asked is not what everybody hears from then on', async () => {
  let asked = 0;
  const lists = createPersonalLists({
    async ask() {
      asked += 1;
      if (asked === 1) throw new Error('a bug');
      return err(failure('link_required'));
    },
    onChange() {},
    clock: systemClock,
    maxAgeMs: 60_000,
    timeoutMs: 1_000,
  });
  const { signal } = new AbortController();
  expect(await lists.refresh(ada, signal)).toMatchObject({ kind: 'listed', isStale: true });
  expect(await lists.refresh(ada, signal)).toEqual({ kind: 'unlinked' });
  lists.close();
});
