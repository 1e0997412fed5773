import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** Whom an event means, in the words of the issuer's own tokens. */
export interface EventSubject {
  readonly kind: 'token' | 'session' | 'subject';
  readonly value: string;
}

/** `foreign`: somebody of another issuer. `unknown`: a format that tokens do not speak of, such as an e-mail address. */
export type SubjectProblem = 'foreign' | 'unknown';

type Found = Result<EventSubject, SubjectProblem>;

/** What an opaque identifier stands for where nothing around it says so. */
type Opaque = 'session' | 'subject';

/**
 * Reads a subject identifier (RFC 9493; SSF section 3 for `complex`, `jwt_id` and the older spelling `subject_type`).
 * One that names an issuer must name one of `issuers`: else a feed could revoke what another issuer gave out.
 * The narrowest that is known wins: the session before its user.
 */
export function eventSubject(identifier: JsonObject, issuers: readonly string[], opaque: Opaque): Found {
  const format = stringAt(identifier, 'format') ?? stringAt(identifier, 'subject_type')?.replaceAll('-', '_');
  const iss = identifier.iss;
  if (iss !== undefined && !issuers.some((own) => own === iss)) return err('foreign');
  switch (format) {
    case 'iss_sub':
      return iss === undefined ? err('unknown') : named('subject', identifier.sub);
    case 'jwt_id':
      return iss === undefined ? err('unknown') : named('token', identifier.jti);
    case 'opaque':
      return named(opaque, identifier.id);
    case 'aliases':
      return narrowest(members(identifier.identifiers), issuers, opaque);
    case 'complex':
      return complexSubject(identifier, issuers);
    default:
      // Earlier drafts wrote the members of a complex subject without saying that it is one.
      return format === undefined ? complexSubject(identifier, issuers) : err('unknown');
  }
}

/** Of `user` and `device` the user: more than was meant, and never less. */
function complexSubject(identifier: JsonObject, issuers: readonly string[]): Found {
  const parts = [
    ['session', 'session'],
    ['user', 'subject'],
  ] as const;
  const found = parts
    .filter(([name]) => identifier[name] !== undefined)
    .map(([name, opaque]): Found => {
      const part = identifier[name];
      return isJsonObject(part) ? eventSubject(part, issuers, opaque) : err('unknown');
    });
  return firstOf(found);
}

function narrowest(identifiers: readonly JsonObject[], issuers: readonly string[], opaque: Opaque): Found {
  return firstOf(identifiers.map((one) => eventSubject(one, issuers, opaque)));
}

/** A foreign part spoils the whole: nobody is two issuers' at once. */
function firstOf(found: readonly Found[]): Found {
  if (found.some((one) => !one.ok && one.error === 'foreign')) return err('foreign');
  return found.find((one) => one.ok) ?? err('unknown');
}

function members(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.slice(0, 16).filter(isJsonObject) : [];
}

function named(kind: EventSubject['kind'], value: unknown): Found {
  const isUsable = typeof value === 'string' && value !== '' && value.length <= limits.maxEventIdLength;
  return isUsable ? ok({ kind, value }) : err('unknown');
}
