import { type JsonObject, stringAt } from '#kernel/json.ts';
import { principalKey } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { GrantOwner, GrantSummary } from './grant.ts';
import { forgetOldKeys } from './rotation.ts';
import type { Vault } from './vault.ts';
import type { VaultUser } from './vault-users.ts';

/** What an operator may ask of the vault; each takes and answers JSON, so that a socket can lie in between. */
export type VaultAction = 'list' | 'unlink' | 'rotate' | 'status' | 'erase';

export interface VaultDesk {
  /** `actor`: who asks, as the audit names it. */
  handle(action: VaultAction, input: JsonObject, actor: string): Promise<Result<JsonObject, VaultRefusal>>;
}

/** Why nothing was done. */
export interface VaultRefusal {
  readonly reason:
    | 'unknown_user'
    | 'several_users'
    | 'several_issuers'
    | 'not_linked'
    | 'not_denied'
    | 'incomplete';
  readonly message: string;
}

export interface VaultDeskDeps {
  readonly vault: Vault;
  /** Revokes at the provider, then deletes. */
  readonly unlink: (
    owner: GrantOwner,
    server: string,
  ) => Promise<Result<{ readonly wasRevoked: boolean }, unknown>>;
  /** Refuses every token of theirs that was issued until now; the error says why it could not be made sure of. */
  readonly denyTokens: (
    owner: GrantOwner,
    actor: string,
  ) => Promise<Result<unknown, { readonly message: string }>>;
  /** The issuers that a user given without one may be of. */
  readonly issuers: () => readonly string[];
  readonly pseudonyms: {
    of(person: GrantOwner): string | Promise<string>;
    /** None of somebody whom the audit never named. */
    names(person: GrantOwner, months: number): Promise<readonly string[]>;
    forget(issuer: string, subject: string): Promise<void>;
  };
  readonly act: (kind: 'admin' | 'link', fields: JsonObject) => Promise<boolean>;
}

export function createVaultDesk(deps: VaultDeskDeps): VaultDesk {
  const { vault, unlink, pseudonyms, act } = deps;

  const isKnown = async (owner: GrantOwner): Promise<boolean> =>
    (await vault.has(owner)) || (await pseudonyms.names(owner, 1)).length > 0;

  const findUser = async (input: JsonObject): Promise<Result<GrantOwner, VaultRefusal>> => {
    const subject = stringAt(input, 'user');
    if (subject === undefined) return refuse('incomplete', 'no user was named');
    const issuer = stringAt(input, 'issuer');
    const issuers = issuer === undefined ? deps.issuers() : [issuer];
    const candidates = issuers.map((from) => ownerOf(from, subject));
    const known: GrantOwner[] = [];
    for (const owner of candidates) if (await isKnown(owner)) known.push(owner);
    if (known.length === 0 && issuer === undefined) {
      // Somebody of an issuer that is no longer configured.
      for (const { owner } of await vault.users()) if (owner.subject === subject) known.push(owner);
    }
    const [found, other] = known;
    if (other !== undefined) {
      return refuse('several_issuers', `${subject} is somebody at several issuers: ${issuersOf(known)}`);
    }
    if (found !== undefined) return ok(found);
    return refuse('unknown_user', `nobody called ${subject} is known here: ${issuers.join(', ')}`);
  };

  const list = async (input: JsonObject): Promise<Result<JsonObject, VaultRefusal>> => {
    if (input.user === undefined) return ok({ users: (await vault.users()).map(userJson) });
    const owner = await findUser(input);
    if (!owner.ok) return owner;
    return ok({ users: [userJson({ owner: owner.value, grants: await vault.grants.list(owner.value) })] });
  };

  const holderOf = async (input: JsonObject, server: string): Promise<Result<GrantOwner, VaultRefusal>> => {
    if (input.user !== undefined) return findUser(input);
    const users = await vault.users();
    const [first, second] = users.filter(({ grants }) => grants.some((grant) => grant.server === server));
    if (first === undefined) return refuse('not_linked', `nobody has linked ${server}`);
    return second === undefined
      ? ok(first.owner)
      : refuse('several_users', `several users have linked ${server}: name one`);
  };

  const unlinkOne = async (input: JsonObject, actor: string): Promise<Result<JsonObject, VaultRefusal>> => {
    const server = stringAt(input, 'server');
    if (server === undefined) return refuse('incomplete', 'no server was named');
    const owner = await holderOf(input, server);
    if (!owner.ok) return owner;
    const { issuer, subject } = owner.value;
    const unlinked = await unlink(owner.value, server);
    if (!unlinked.ok) return refuse('not_linked', `${subject} has not linked ${server}`);
    const { wasRevoked } = unlinked.value;
    const user = await pseudonyms.of(owner.value);
    await act('link', { action: 'unlink', actor, user, server, outcome: 'ok', revoked: wasRevoked });
    // Who may unlink may not see people for that (`list`): only whoever named the user is told who it was.
    return ok({ ...(input.user !== undefined && { issuer, subject }), server, wasRevoked });
  };

  const rotate = async (input: JsonObject, actor: string): Promise<Result<JsonObject, VaultRefusal>> => {
    const rotation = await vault.rotate();
    const forgotten = input.forgetOld === true ? await forgetOldKeys(vault.ring, rotation) : undefined;
    const { newest, isRenewed, resealed, unreadable } = rotation;
    const older = forgotten?.ok ? [] : rotation.older;
    const kept = forgotten === undefined || forgotten.ok ? undefined : forgotten.error;
    const { place, path } = vault.ring;
    await act('admin', { action: 'vault.rotate', actor, newest, older: older.length, resealed, unreadable });
    return ok({ place, path, newest, isRenewed, older, kept, resealed, unreadable });
  };

  const erase = async (input: JsonObject, actor: string): Promise<Result<JsonObject, VaultRefusal>> => {
    const found = await findUser(input);
    if (!found.ok) return found;
    const owner = found.value;
    // First of all: a call in between would leave new traces.
    const denied = await deps.denyTokens(owner, actor);
    if (!denied.ok) return refuse('not_denied', `nothing was erased: ${denied.error.message}`);
    const servers: { readonly server: string; readonly wasRevoked: boolean }[] = [];
    for (const { server } of await vault.grants.list(owner)) {
      const unlinked = await unlink(owner, server);
      servers.push({ server, wasRevoked: unlinked.ok && unlinked.value.wasRevoked });
    }
    await vault.erase(owner);
    // The record names who was erased as the records before did; after that nothing leads from the name to a person.
    const user = await pseudonyms.of(owner);
    const revoked = servers.filter(({ wasRevoked }) => wasRevoked).length;
    await act('admin', { action: 'vault.erase', actor, user, grants: servers.length, revoked });
    await pseudonyms.forget(owner.issuer, owner.subject);
    return ok({ issuer: owner.issuer, subject: owner.subject, servers });
  };

  return {
    async handle(action, input, actor) {
      switch (action) {
        case 'list':
          return list(input);
        case 'unlink':
          return unlinkOne(input, actor);
        case 'rotate':
          return rotate(input, actor);
        case 'status':
          return ok(statusJson(await vault.status()));
        case 'erase':
          return erase(input, actor);
      }
    },
  };
}

function refuse(reason: VaultRefusal['reason'], message: string): Result<never, VaultRefusal> {
  return err({ reason, message });
}

function ownerOf(issuer: string, subject: string): GrantOwner {
  return { issuer, subject, key: principalKey(issuer, subject) };
}

function issuersOf(owners: readonly GrantOwner[]): string {
  return owners.map(({ issuer }) => issuer).join(', ');
}

function statusJson(status: Awaited<ReturnType<Vault['status']>>): JsonObject {
  return { ...status, keys: status.keys.map((key) => ({ ...key })) };
}

function userJson({ owner, grants }: VaultUser): JsonObject {
  return { issuer: owner.issuer, subject: owner.subject, grants: grants.map(grantJson) };
}

function grantJson(grant: GrantSummary): JsonObject {
  const { server, account, scopes, issuer, isDead } = grant;
  return {
    server,
    account,
    scopes,
    issuer,
    linkedAt: timeText(grant.linkedAt),
    lastUsedAt: timeText(grant.lastUsedAt),
    expiresAt: timeText(grant.expiresAt),
    isDead,
  };
}

function timeText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
