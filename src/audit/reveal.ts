import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { AuditLog } from './audit-log.ts';
import type { Pseudonyms } from './pseudonyms.ts';

/**
 * Why nobody was named. `reason_needed`: none was given, or one that says nothing. `unknown_user`: nobody has this name, or
 * the person was erased. `not_recorded`: the audit takes no record now, and what is not recorded is not revealed.
 */
export interface RevealRefusal {
  readonly reason: 'reason_needed' | 'not_a_pseudonym' | 'unknown_user' | 'not_recorded';
  readonly message: string;
}

/** Who stands behind a pseudonym. */
export interface Revealed {
  readonly issuer: string;
  readonly subject: string;
}

/** Names the person behind a pseudonym, for a reason; that it was asked is on the disk before the answer goes out. */
export type Reveal = (
  asked: { readonly user: string | undefined; readonly reason: string | undefined },
  actor: string,
) => Promise<Result<Revealed, RevealRefusal>>;

const maxReasonLength = 500;

export function createReveal(deps: {
  readonly pseudonyms: Pick<Pseudonyms, 'personOf'>;
  readonly act: AuditLog['act'];
  /** As long as there are records that hold the name. */
  readonly retentionMs: number;
}): Reveal {
  const { pseudonyms, act, retentionMs } = deps;
  return async (asked, actor) => {
    const reason = asked.reason?.trim() ?? '';
    if (!/[\p{L}\p{N}]/u.test(reason) || reason.length > maxReasonLength)
      return refuse('reason_needed', `say why, in up to ${maxReasonLength} characters: it is recorded`);
    const user = asked.user ?? '';
    if (!/^[\w-]{22}$/.test(user))
      return refuse('not_a_pseudonym', 'a pseudonym is the 22 characters of `user` in a record');
    const person = await pseudonyms.personOf(user, retentionMs);
    const fields: JsonObject = { actor, user, reason, outcome: person === undefined ? 'unknown_user' : 'ok' };
    if (!(await act('reveal', fields)))
      return refuse('not_recorded', 'the audit cannot be written, so nobody is named');
    if (person !== undefined) return ok(person);
    return refuse('unknown_user', `nobody is called ${user} here: not since records are kept, or erased`);
  };
}

function refuse(reason: RevealRefusal['reason'], message: string): Result<never, RevealRefusal> {
  return err({ reason, message });
}
