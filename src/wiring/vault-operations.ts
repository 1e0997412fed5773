import type { AuditLog } from '#audit/audit-log.ts';
import { err, type Result } from '#kernel/result.ts';
import type { OperationRefusal, Operations, OperatorRole } from '#server/operation.ts';
import type { VaultAction, VaultDesk } from '#vault/vault-desk.ts';

/** A list names people and their accounts, which the audit takes care to hide. */
const roles: Readonly<Record<VaultAction, OperatorRole>> = {
  list: 'reveal',
  status: 'read',
  unlink: 'operate',
  rotate: 'operate',
  erase: 'operate',
};
const actions: readonly VaultAction[] = ['list', 'status', 'unlink', 'rotate', 'erase'];

/** As with a pseudonym: also where calls go on without a record, no person is seen without one. */
const unrecorded: Result<never, OperationRefusal> = err({
  reason: 'not_recorded',
  message: 'the audit cannot be written, so nobody is named',
});

/** `POST /vault/<action>`. */
export function vaultOperations(desk: VaultDesk, act: AuditLog['act']): Operations {
  return Object.fromEntries(
    actions.map((action) => [
      `POST /vault/${action}`,
      {
        role: roles[action],
        async run(input, actor) {
          if (action === 'list' && !(await act('admin', { action: 'vault.list', actor }))) return unrecorded;
          return desk.handle(action, input, actor);
        },
      },
    ]),
  );
}
