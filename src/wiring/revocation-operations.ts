import type { DenyList } from '#auth/deny-list.ts';
import { isRevocationKind, type Revocation } from '#auth/revocation.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OperationRefusal, Operations } from '#server/operation.ts';

export interface RevocationOperationsDeps {
  readonly denyList: Pick<DenyList, 'deny'>;
  /** Those of the configuration. */
  readonly issuers: () => readonly string[];
}

export interface NamedRevocationDeps extends RevocationOperationsDeps {
  /** Whom the audit calls so. */
  readonly personOf: (
    pseudonym: string,
  ) => Promise<{ readonly issuer: string; readonly subject: string } | undefined>;
}

/** `POST /revocations`. */
export function revocationOperations(deps: NamedRevocationDeps): Operations {
  return {
    'POST /revocations': {
      role: 'operate',
      async run(input, actor) {
        const pseudonym = stringAt(input, 'pseudonym');
        return pseudonym === undefined
          ? revokeAsAsked(deps, input, actor)
          : revokePseudonym(deps, pseudonym, input, actor);
      },
    },
  };
}

/** `{kind: 'subject', pseudonym}`: a user is cut off by whom nobody was told who it is. */
async function revokePseudonym(
  deps: NamedRevocationDeps,
  pseudonym: string,
  { kind, before }: JsonObject,
  actor: string,
): Promise<Result<JsonObject, OperationRefusal>> {
  if (kind !== 'subject') return refuse('incomplete', 'a pseudonym names a subject');
  const person = /^[\w-]{22}$/.test(pseudonym) ? await deps.personOf(pseudonym) : undefined;
  if (person === undefined) return refuse('unknown_user', `nobody is called ${pseudonym.slice(0, 22)} here`);
  const { issuer, subject: value } = person;
  return revokeAsAsked(deps, { kind, value, issuer, before }, actor, pseudonym);
}

/**
 * `{kind, value, issuer?, before?}` (`before` in seconds since 1970; without it: until now) ->
 * `{kind, issuer, replicas, ms, closed: {streams, calls}}` once every replica has confirmed.
 */
export async function revokeAsAsked(
  { denyList, issuers }: RevocationOperationsDeps,
  input: JsonObject,
  actor: string,
  pseudonym?: string,
): Promise<Result<JsonObject, OperationRefusal>> {
  const revocation = readRevocation(input, issuers());
  if (!revocation.ok) return revocation;
  const { kind, issuer } = revocation.value;
  const asked = { ...revocation.value, ...(pseudonym !== undefined && { pseudonym }) };
  const outcome = await denyList.deny([asked], actor);
  if (!outcome.ok) return outcome;
  const { replicas, ms, closed } = outcome.value;
  return ok({ kind, issuer, replicas, ms, closed: { ...closed } });
}

function readRevocation(input: JsonObject, issuers: readonly string[]): Result<Revocation, OperationRefusal> {
  const kind = stringAt(input, 'kind');
  if (kind === undefined || !isRevocationKind(kind)) {
    return refuse('incomplete', 'kind must be token, session, subject, client, grant or issuer');
  }
  const { value = '', before } = input;
  if (typeof value !== 'string' || (value === '') !== (kind === 'issuer')) {
    return refuse('incomplete', kind === 'issuer' ? 'a whole issuer takes no value' : `which ${kind}?`);
  }
  if (before !== undefined && typeof before !== 'number') {
    return refuse('incomplete', 'before must be a number of seconds since 1970');
  }
  const named = input.issuer;
  if (kind === 'issuer' && named === undefined) return refuse('incomplete', 'which issuer?');
  const [first, second] = issuers;
  if (named === undefined && second !== undefined) {
    return refuse('several_issuers', `several issuers are configured: ${issuers.join(', ')}`);
  }
  const issuer = named ?? first;
  if (typeof issuer !== 'string' || !issuers.includes(issuer)) {
    return refuse('unknown_issuer', `no such issuer is configured; there are: ${issuers.join(', ')}`);
  }
  return ok({ kind, issuer, value, before });
}

function refuse(reason: string, message: string): Result<never, OperationRefusal> {
  return err({ reason, message });
}
