import { expect, test } from 'vitest';
import { ok } from '#kernel/result.ts';
import { vaultOperations } from '#wiring/vault-operations.ts';

test.each([
  ['is shown once that is written down', true],
  ['is shown to nobody while it cannot be written down, whatever else goes on then', false],
])('who has linked what %s', async (_when, isWritten) => {
  const written: unknown[] = [];
  const operations = vaultOperations(
    { handle: async () => ok({ users: [{ subject: 'ada' }] }) },
    async (...act) => {
      written.push(act);
      return isWritten;
    },
  );
  const listed = await operations['POST /vault/list']?.run({}, 'privacy');
  expect(written).toEqual([['admin', { action: 'vault.list', actor: 'privacy' }]]);
  expect(listed?.ok).toBe(isWritten);
  if (listed?.ok === false) expect(listed.error.reason).toBe('not_recorded');
});
