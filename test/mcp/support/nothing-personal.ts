import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createPersonal, type Personal } from '#mcp/personal.ts';
import { rules } from '../../catalog/samples.ts';

/** As in a gateway where no server has lists of its own for each. */
export function nothingPersonal(): Personal {
  return createPersonal({
    servers: () => [],
    rules: () => rules,
    guard: (_principalKey, items) => items,
    schedule: systemSchedule,
    log: silentLog,
    deadlineMs: 1,
    maxItems: 1,
    onLate: () => {},
  });
}
