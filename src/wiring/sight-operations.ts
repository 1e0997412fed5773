import type { AuditLog } from '#audit/audit-log.ts';
import type { Authenticator } from '#auth/authenticate.ts';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok } from '#kernel/result.ts';
import type { Personal } from '#mcp/personal.ts';
import type { Operations } from '#server/operation.ts';

export interface SightOperationsDeps {
  readonly authenticator: () => Pick<Authenticator, 'authenticate'>;
  readonly snapshot: () => Snapshot;
  readonly personal: Pick<Personal, 'concerns' | 'of'>;
  readonly act: AuditLog['act'];
}

/**
 * `POST /sight` with `{token}`: who the gateway takes the holder of an access token for, by the same gates as at its
 * door, and what servers list to that person alone. It names a person, so it takes the role that may see people, and
 * is recorded first. The token is kept nowhere but where the door keeps it.
 */
export function sightOperations({ authenticator, snapshot, personal, act }: SightOperationsDeps): Operations {
  return {
    'POST /sight': {
      role: 'reveal',
      async run(input, actor) {
        const token = stringAt(input, 'token');
        if (token === undefined || token === '')
          return err({ reason: 'no_token', message: 'token: the access token to look with' });
        if (!(await act('admin', { action: 'catalog.sight', actor })))
          return err({ reason: 'not_recorded', message: 'the audit cannot be written, so nobody is named' });
        const headers = { get: (name: string) => (name === 'authorization' ? `Bearer ${token}` : null) };
        const identified = await authenticator().authenticate(headers, { search: '' });
        if (!identified.ok) {
          const { reason, issuer, detail } = identified.error;
          return ok({ refused: { reason, issuer, detail } });
        }
        const principal = identified.value;
        const { kind, issuer, subject, clientId, scopes, plan, expiresAt } = principal;
        const who = {
          kind,
          issuer,
          subject,
          client: clientId,
          scopes: [...scopes].sort(),
          plan,
          expires_at: expiresAt,
        };
        if (!personal.concerns(principal)) return ok({ who });
        const now = snapshot();
        const { links, late, ...own } = await personal.of(now, principal);
        const answer: JsonObject = {
          who,
          own: serialiseSnapshot({ ...now, ...own, formerNames: new Map() }),
          links: Object.fromEntries(links),
          late: [...late],
        };
        return ok(answer);
      },
    },
  };
}
