import type { AuditLog } from '#audit/audit-log.ts';
import type { Reveal } from '#audit/reveal.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { ok } from '#kernel/result.ts';
import type { Operations } from '#server/operation.ts';

/** `GET /audit`: how writing and shipping go. `POST /audit/reveal` with `{user, reason}`: `{user, issuer, subject}`. */
export function auditOperations(deps: {
  readonly status: AuditLog['status'];
  readonly reveal: Reveal;
}): Operations {
  return {
    'GET /audit': { role: 'read', run: async () => ok(statusJson(deps.status())) },
    'POST /audit/reveal': {
      role: 'reveal',
      async run(input, actor) {
        const user = stringAt(input, 'user');
        const person = await deps.reveal({ user, reason: stringAt(input, 'reason') }, actor);
        return person.ok ? ok({ user, ...person.value }) : person;
      },
    },
  };
}

function statusJson({ anchors, ...status }: ReturnType<AuditLog['status']>): JsonObject {
  const sinks = anchors.map(({ failingSince, ...sink }) => ({
    ...sink,
    failing_since: timeText(failingSince),
  }));
  return {
    chain: status.chain,
    seq: status.seq,
    unanchored: status.unanchored,
    failing_since: timeText(status.failingSince),
    lost: status.lost,
    anchors: sinks,
  };
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
