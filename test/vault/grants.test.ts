import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#kernel/clock.ts';
import type { LogFields } from '#kernel/log.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import { createSealer } from '#keys/sealer.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { createGrants } from '#vault/grants.ts';
import { openOwnerKeys } from '#vault/owner-keys.ts';
import { fakeTime } from '../catalog/fake-time.ts';
import { grantOf, openTestVault, ownerOf, ringOf } from './vault-kit.ts';

let store: Store;
beforeEach(() => {
  store = openSqliteStore(':memory:');
  return () => store.close();
});
const ada = ownerOf('ada');
const bob = ownerOf('bob');

test('a grant comes back whole, after a restart too', async () => {
  const { grants } = await openTestVault(store);
  const grant = grantOf();
  const put = await grants.put(ada, 'linear', grant);
  const { grants: restarted } = await openTestVault(store);
  const found = await restarted.get(ada, 'linear');
  expect(found).toEqual({ grant, generation: put.generation, isDead: false, lastUsedAt: undefined });
  expect(found?.grant.accessToken.reveal()).toBe('access-1');
  expect(found?.grant.refreshToken?.reveal()).toBe('refresh-1');
});

test('what a server did not say stays unsaid', async () => {
  const { grants } = await openTestVault(store);
  const bare = grantOf({
    expiresAt: undefined,
    refreshToken: undefined,
    resource: undefined,
    account: undefined,
  });
  await grants.put(ada, 'linear', bare);
  const { grants: restarted } = await openTestVault(store);
  expect((await restarted.get(ada, 'linear'))?.grant).toEqual(bare);
});

test('nobody has what another linked, and no server gets what another gave', async () => {
  const { grants } = await openTestVault(store);
  await grants.put(ada, 'linear', grantOf());
  expect(await grants.get(bob, 'linear')).toBeUndefined();
  expect(await grants.get(ada, 'github')).toBeUndefined();
  expect(await grants.list(bob)).toEqual([]);
});

test('neither tokens nor people can be read in the database', async () => {
  const { grants } = await openTestVault(store);
  await grants.put(ada, 'linear', grantOf());
  const tables = ['vault_keys', 'vault_owners', 'vault_grants'];
  const rows = await Promise.all(tables.map((table) => store.all(`SELECT * FROM ${table}`)));
  const text = JSON.stringify(rows);
  for (const secret of ['access-1', 'refresh-1', 'ada', 'auth.example.com', 'read']) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('base64url'));
  }
});

test('a summary has no secret', async () => {
  const { grants } = await openTestVault(store);
  await grants.put(ada, 'linear', grantOf());
  await grants.put(ada, 'github', grantOf({ account: 'ada-gh' }));
  const summaries = await grants.list(ada);
  expect(summaries.map(({ server, account }) => [server, account])).toEqual([
    ['github', 'ada-gh'],
    ['linear', 'ada@linear.example'],
  ]);
  expect(Bun.inspect(summaries)).not.toMatch(/access-1|refresh-1|secret/);
});

test('a refresh replaces the generation that it read, and no other', async () => {
  const { grants } = await openTestVault(store);
  const first = await grants.put(ada, 'linear', grantOf());
  const fresh = grantOf({ accessToken: new Secret('access-2') });
  expect(await grants.replace(ada, 'linear', first.generation, fresh)).toBe(true);
  expect(await grants.replace(ada, 'linear', first.generation, grantOf())).toBe(false);
  const held = await grants.get(ada, 'linear');
  expect(held?.grant.accessToken.reveal()).toBe('access-2');
  expect(held?.generation).not.toBe(first.generation);
  expect(await grants.replace(bob, 'linear', first.generation, fresh)).toBe(false);
});

test('a dead grant stays known until it is linked again', async () => {
  const { grants } = await openTestVault(store);
  const first = await grants.put(ada, 'linear', grantOf());
  await grants.markDead(ada, 'linear', first.generation + 1);
  expect((await grants.get(ada, 'linear'))?.isDead).toBe(false);
  await grants.markDead(ada, 'linear', first.generation);
  expect((await grants.get(ada, 'linear'))?.isDead).toBe(true);
  expect((await grants.list(ada))[0]?.isDead).toBe(true);
  await grants.put(ada, 'linear', grantOf());
  expect((await grants.get(ada, 'linear'))?.isDead).toBe(false);
});

test('what was removed is gone, and its generation never comes back', async () => {
  const { grants } = await openTestVault(store);
  const first = await grants.put(ada, 'linear', grantOf());
  expect((await grants.remove(ada, 'linear'))?.grant).toEqual(grantOf());
  expect(await grants.get(ada, 'linear')).toBeUndefined();
  expect(await grants.remove(ada, 'linear')).toBeUndefined();
  const second = await grants.put(ada, 'linear', grantOf());
  expect(second.generation).not.toBe(first.generation);
});

test('what another process wrote or removed is seen at once', async () => {
  const { grants: here } = await openTestVault(store);
  const { grants: there } = await openTestVault(store);
  await here.put(ada, 'linear', grantOf());
  expect((await there.get(ada, 'linear'))?.grant.accessToken.reveal()).toBe('access-1');
  await here.put(ada, 'linear', grantOf({ accessToken: new Secret('access-2') }));
  expect((await there.get(ada, 'linear'))?.grant.accessToken.reveal()).toBe('access-2');
  await here.remove(ada, 'linear');
  expect(await there.get(ada, 'linear')).toBeUndefined();
});

test('links made at once for one new user share one key, and none is lost', async () => {
  const vaults = await Promise.all([1, 2, 3].map(() => openTestVault(store)));
  await Promise.all(vaults.map(({ grants }, index) => grants.put(ada, `s${index}`, grantOf())));
  const { grants } = await openTestVault(store);
  expect((await grants.list(ada)).map(({ server }) => server)).toEqual(['s0', 's1', 's2']);
});

test('uses are written later, all at once', async () => {
  const time = fakeTime(5_000);
  const { owners } = await openTestVault(store);
  const grants = createGrants({ store, owners, clock: time.clock, schedule: time.schedule, log: silentLog });
  await grants.put(ada, 'linear', grantOf());
  grants.touch(ada, 'linear');
  grants.touch(ada, 'linear');
  grants.touch(ada, 'unknown');
  expect(time.pending()).toBe(1);
  expect((await grants.get(ada, 'linear'))?.lastUsedAt).toBeUndefined();
  await time.advance(5_000);
  expect((await grants.get(ada, 'linear'))?.lastUsedAt).toBe(5_000);
  grants.touch(ada, 'linear');
  await grants.close();
  expect((await grants.get(ada, 'linear'))?.lastUsedAt).toBe(10_000);
});

describe('the lease of a refresh', () => {
  test('is held by one alone, until it is released', async () => {
    const { grants: here } = await openTestVault(store);
    const { grants: there } = await openTestVault(store);
    await here.put(ada, 'linear', grantOf());
    const lease = await here.lease(ada, 'linear', 1_000);
    expect(lease).toBeDefined();
    expect(await there.lease(ada, 'linear', 1_000)).toBeUndefined();
    expect(await here.lease(ada, 'linear', 1_000)).toBeUndefined();
    await lease?.release();
    expect(await there.lease(ada, 'linear', 1_000)).toBeDefined();
  });

  test('ends by itself, and cannot be extended once another one has it', async () => {
    const time = fakeTime(5_000);
    const { grants } = await openTestVault(store, { clock: time.clock });
    await grants.put(ada, 'linear', grantOf());
    const first = await grants.lease(ada, 'linear', 1_000);
    await time.advance(900);
    expect(await first?.extend(1_000)).toBe(true);
    await time.advance(900);
    expect(await grants.lease(ada, 'linear', 1_000)).toBeUndefined();
    await time.advance(100);
    const second = await grants.lease(ada, 'linear', 1_000);
    expect(second).toBeDefined();
    expect(await first?.extend(1_000)).toBe(false);
    await first?.release();
    expect(await grants.lease(ada, 'linear', 1_000)).toBeUndefined();
  });

  test('is of one grant, and there is none without a grant', async () => {
    const { grants } = await openTestVault(store);
    await grants.put(ada, 'linear', grantOf());
    await grants.put(bob, 'linear', grantOf());
    expect(await grants.lease(ada, 'linear', 1_000)).toBeDefined();
    expect(await grants.lease(bob, 'linear', 1_000)).toBeDefined();
    expect(await grants.lease(ada, 'github', 1_000)).toBeUndefined();
  });
});

describe('an attacker who writes to the database (R46)', () => {
  const events: { event: string; fields: LogFields | undefined }[] = [];
  const log = {
    ...silentLog,
    error: (event: string, fields?: LogFields) => void events.push({ event, fields }),
  };
  beforeEach(() => void events.splice(0));

  /** The columns of ada's row at linear, put into another row by hand. */
  async function move(to: { owner: string; server: string }, keepsGeneration: boolean): Promise<void> {
    const generation = keepsGeneration ? ', generation = s.generation' : '';
    const changed = await store.run(
      `UPDATE vault_grants AS t SET sealed = s.sealed${generation} FROM
       (SELECT sealed, generation FROM vault_grants WHERE server = 'linear' AND owner != ? ) AS s
       WHERE t.owner = ? AND t.server = ?`,
      to.server === 'linear' ? to.owner : '',
      to.owner,
      to.server,
    );
    expect(changed).toBe(1);
  }

  test.each([true, false])(
    'cannot move a grant to another user (generation moved with it: %s)',
    async (keeps) => {
      const { grants, owners } = await openTestVault(store, { log });
      await grants.put(ada, 'linear', grantOf());
      await grants.put(bob, 'linear', grantOf({ accessToken: new Secret('bobs') }));
      expect(await grants.get(bob, 'linear')).toBeDefined();
      await move({ owner: owners.id(bob.key), server: 'linear' }, keeps);
      expect(await grants.get(bob, 'linear')).toBeUndefined();
      expect(events).toEqual([
        { event: 'vault.grant_unreadable', fields: { server: 'linear', reason: 'grant' } },
      ]);
    },
  );

  test.each([true, false])(
    'cannot move a grant to another server (generation moved with it: %s)',
    async (keeps) => {
      const { grants, owners } = await openTestVault(store, { log });
      await grants.put(ada, 'linear', grantOf());
      await grants.put(ada, 'evil', grantOf({ accessToken: new Secret('evil') }));
      await move({ owner: owners.id(ada.key), server: 'evil' }, keeps);
      expect(await grants.get(ada, 'evil')).toBeUndefined();
      expect(events.map(({ event }) => event)).toEqual(['vault.grant_unreadable']);
    },
  );

  test('cannot bring back an earlier generation', async () => {
    const { grants } = await openTestVault(store, { log });
    const first = await grants.put(ada, 'linear', grantOf());
    const [old] = await store.all('SELECT sealed FROM vault_grants');
    await grants.replace(ada, 'linear', first.generation, grantOf({ accessToken: new Secret('new') }));
    await store.run('UPDATE vault_grants SET sealed = ?', String(Object(old).sealed));
    expect(await grants.get(ada, 'linear')).toBeUndefined();
    await store.run('UPDATE vault_grants SET generation = generation + 5');
    expect(await grants.get(ada, 'linear')).toBeUndefined();
  });

  test('cannot give a user another one’s key, with or without the grants', async () => {
    const { grants, owners } = await openTestVault(store, { log });
    await grants.put(ada, 'linear', grantOf());
    await grants.put(bob, 'linear', grantOf());
    const sealed = String(
      Object((await store.all('SELECT sealed FROM vault_owners WHERE owner = ?', owners.id(ada.key)))[0])
        .sealed,
    );
    await store.run('UPDATE vault_owners SET sealed = ? WHERE owner = ?', sealed, owners.id(bob.key));
    await move({ owner: owners.id(bob.key), server: 'linear' }, true);
    expect(await grants.get(bob, 'linear')).toBeUndefined();
    expect(events[0]?.fields).toEqual({ server: 'linear', reason: 'owner' });
    await expect(grants.put(bob, 'github', grantOf())).rejects.toThrow(/does not open/);
  });

  test('cannot exchange the owners of two rows', async () => {
    const { grants, owners } = await openTestVault(store, { log });
    await grants.put(ada, 'linear', grantOf());
    await store.run('UPDATE vault_grants SET owner = ?', owners.id(bob.key));
    await store.run('UPDATE vault_owners SET owner = ?', owners.id(bob.key));
    expect(await grants.get(bob, 'linear')).toBeUndefined();
  });

  test.each([0, 1, 20, -1])('cannot change the byte at %i', async (at) => {
    const { grants } = await openTestVault(store, { log });
    await grants.put(ada, 'linear', grantOf());
    const bytes = Buffer.from(
      String(Object((await store.all('SELECT sealed FROM vault_grants'))[0]).sealed),
      'base64url',
    );
    const index = (at + bytes.length) % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    await store.run('UPDATE vault_grants SET sealed = ?', bytes.toString('base64url'));
    expect(await grants.get(ada, 'linear')).toBeUndefined();
    for (const nonsense of ['', 'AQ', '!!', 'AQAA'.repeat(9)]) {
      await store.run('UPDATE vault_grants SET sealed = ?', nonsense);
      expect(await grants.get(ada, 'linear')).toBeUndefined();
    }
  });
});

test('a vault that was sealed with another key is refused, not begun anew', async () => {
  const { grants } = await openTestVault(store);
  await grants.put(ada, 'linear', grantOf());
  const other = await openOwnerKeys({ store, sealer: createSealer(ringOf(2)), clock: systemClock });
  expect(other).toEqual({ ok: false, error: 'wrong_key' });
  const both = await openTestVault(store, { ring: ringOf(2, 1) });
  expect(await both.grants.get(ada, 'linear')).toBeDefined();
});

test('a key that is missing from the ring is a failure, not an unlinked account', async () => {
  const { grants, owners } = await openTestVault(store);
  await grants.put(ada, 'linear', grantOf());
  const id = owners.id(ada.key);
  const newer = createSealer(ringOf(2)).seal('vault_key', [id], '[]');
  await store.run('UPDATE vault_owners SET sealed = ?', newer);
  const { grants: cold } = await openTestVault(store);
  await expect(cold.get(ada, 'linear')).rejects.toThrow(/key ring/);
});
