import type { JsonObject } from '#kernel/json.ts';
import type { GrantOwner, Grants } from '#vault/grant.ts';

/** Whether and as whom an owner is linked; `state` is `linked`, `dead` or `unlinked`. */
export async function linkStatus(
  grants: Pick<Grants, 'list'>,
  owner: GrantOwner,
  server: string,
): Promise<JsonObject> {
  const grant = (await grants.list(owner)).find((one) => one.server === server);
  return {
    server,
    state: grant === undefined ? 'unlinked' : grant.isDead ? 'dead' : 'linked',
    account: grant?.account,
    linked_at: grant === undefined ? undefined : new Date(grant.linkedAt).toISOString(),
  };
}
