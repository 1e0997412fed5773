import { createHash } from 'node:crypto';
import type { AuditLog } from '#audit/audit-log.ts';
import type { Pseudonyms } from '#audit/pseudonyms.ts';
import type { Denial } from '#auth/denied.ts';
import { type DenyList, openDenyList, revokerFor } from '#auth/deny-list.ts';
import type { Acknowledgement, DenyFailure, Ended, Revocation } from '#auth/revocation.ts';
import type { Bus } from '#cluster/bus.ts';
import type { Config } from '#config/config.ts';
import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { Store } from '#store/store.ts';
import type { GrantOwner } from '#vault/grant.ts';

export interface RevocationDeps {
  readonly config: () => Config;
  readonly store: Store;
  readonly bus: Bus<readonly Denial[], Ended>;
  readonly audit: Pick<AuditLog, 'act'>;
  readonly pseudonyms: Pick<Pseudonyms, 'names'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Revocations {
  /** Each denial is recorded in the audit, under the name of whoever said so. */
  readonly denyList: DenyList;
  /** Denies what a user's tokens are, without a record of its own: it would name a user who is being erased. */
  denyTokensOf(user: GrantOwner, source: string): ReturnType<DenyList['deny']>;
  /** Resolves when what was denied is recorded. */
  recorded(): Promise<void>;
}

/** The deny-list over the store. */
export async function openRevocations(deps: RevocationDeps): Promise<Revocations> {
  const { log } = deps;
  const recording = new Set<Promise<void>>();
  const list = await openDenyList({
    ...deps,
    maxTokenAgeSeconds: () =>
      Math.max(...deps.config().auth.issuers.map(({ maxTokenAgeSeconds }) => maxTokenAgeSeconds)),
  });

  const deny: DenyList['deny'] = async (revocations, source) => {
    const outcome = await list.deny(revocations, source);
    // A full disk must not keep anybody from revoking: nobody waits for the record.
    const record = recordDenial(deps, revocations, source, outcome)
      .catch((error: unknown) => log.error('revocation.not_recorded', { source, error: String(error) }))
      .finally(() => recording.delete(record));
    recording.add(record);
    return outcome;
  };
  return {
    denyList: { ...list, deny, denyListFor: (issuer) => revokerFor(issuer, deny) },
    recorded: async () => void (await Promise.all(recording)),
    denyTokensOf: ({ issuer, subject }, source) =>
      list.deny([{ kind: 'subject', issuer, value: subject, before: undefined }], source),
  };
}

/** One `admin` record a revocation. */
async function recordDenial(
  { audit, pseudonyms }: Pick<RevocationDeps, 'audit' | 'pseudonyms'>,
  revocations: readonly Revocation[],
  source: string,
  outcome: Result<Acknowledgement, DenyFailure>,
): Promise<void> {
  const became: JsonObject = outcome.ok
    ? { outcome: 'ok', replicas: outcome.value.replicas, ...outcome.value.closed }
    : { outcome: 'refused', code: outcome.error.reason };
  for (const revocation of revocations) {
    const { kind, issuer, before } = revocation;
    const named = await namedIn(revocation, pseudonyms);
    await audit.act('admin', {
      action: 'revoke',
      actor: source,
      of: kind,
      issuer,
      before,
      ...named,
      ...became,
    });
  }
}

/** A user goes by the pseudonym; ids that an issuer could lead back to a user are told by their hash alone. */
async function namedIn(
  { kind, issuer, value, pseudonym }: Revocation,
  pseudonyms: Pick<Pseudonyms, 'names'>,
): Promise<JsonObject> {
  switch (kind) {
    case 'issuer':
      return {};
    case 'client':
      return { client: value };
    case 'subject': {
      // Another month's, too: whoever asked by it is not told this month's.
      if (pseudonym !== undefined) return { user: pseudonym };
      const person = { issuer, subject: value, key: principalKey(issuer, value) };
      // None of somebody whom the audit never named, and none is made for this.
      const [user] = await pseudonyms.names(person, 1);
      return { user };
    }
    case 'token':
    case 'session':
    case 'grant':
      return { ref: createHash('sha256').update(value).digest('base64url').slice(0, 16) };
  }
}
