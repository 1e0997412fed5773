import type { IntegrityAction, IntegrityDesk } from '#integrity/integrity-desk.ts';
import type { Operations, OperatorRole } from '#server/operation.ts';

const roles: Readonly<Record<IntegrityAction, OperatorRole>> = {
  list: 'read',
  diff: 'read',
  draft: 'read',
  approve: 'operate',
};
const actions: readonly IntegrityAction[] = ['list', 'diff', 'draft', 'approve'];

/** `POST /integrity/<action>`. */
export function integrityOperations(desk: IntegrityDesk): Operations {
  return Object.fromEntries(
    actions.map((action) => [
      `POST /integrity/${action}`,
      { role: roles[action], run: (input, actor) => desk.handle(action, input, actor) },
    ]),
  );
}
