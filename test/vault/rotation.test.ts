import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { Secret } from '#kernel/secret.ts';
import { createSealer } from '#keys/sealer.ts';
import { openVaultRing, type VaultRing } from '#keys/vault-ring.ts';
import { addLinkClient, findLinkClient } from '#store/link-client-rows.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { createGrantTokens } from '#vault/grant-tokens.ts';
import { createLinkTickets } from '#vault/link-tickets.ts';
import { createLinkFlows } from '#vault/linking/link-flows.ts';
import { forgetOldKeys } from '#vault/rotation.ts';
import { openVault, type Vault } from '#vault/vault.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { refreshAt, startTokenProvider } from './token-provider.ts';
import { grantOf, ownerOf } from './vault-kit.ts';

let folder: TempFolder;
let store: Store;
let path = '';
beforeEach(async () => {
  folder = await createTempFolder();
  path = join(folder.path, 'cortex.db');
  store = openSqliteStore(path);
});
afterEach(async () => {
  await store.close();
  await folder.remove();
});

async function openRing(): Promise<VaultRing> {
  const generated = join(folder.path, 'keys', 'vault.key');
  const none = { text: undefined, file: undefined, credential: undefined, dockerSecret: undefined };
  const ring = await openVaultRing({ ...none, keychain: false, generated }, 'create');
  if (!ring.ok) throw new Error(ring.error.reason);
  return ring.value;
}
async function open(over = store): Promise<Vault> {
  const ring = await openRing();
  const vault = await openVault({
    store: over,
    ring,
    clock: systemClock,
    schedule: systemSchedule,
    log: silentLog,
  });
  if (!vault.ok) throw new Error(vault.error);
  return vault.value;
}
const ada = ownerOf('ada');
const clientKey = { server: 'linear', issuer: 'https://linear.example', redirectUri: 'https://gw/cb' };
const clientBound = [clientKey.server, clientKey.issuer, clientKey.redirectUri];

test('a rotation seals every key anew, and what was stored before still opens, after a restart too', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  const before = vault.ring.newest.id;
  const registration = vault.sealer.seal('link_client', clientBound, 'client-secret');
  await addLinkClient(store, { ...clientKey, sealed: registration, createdAt: 1 });
  const grants = await store.all('SELECT sealed FROM vault_grants');

  const rotation = await vault.rotate();
  expect(rotation).toEqual({
    newest: vault.ring.newest.id,
    older: [before],
    isRenewed: true,
    resealed: 3,
    unreadable: 0,
    isSettled: true,
  });
  expect(await store.all('SELECT sealed FROM vault_grants')).toEqual(grants);
  expect(await forgetOldKeys(vault.ring, rotation)).toEqual({ ok: true, value: undefined });
  const restarted = await open();
  expect(restarted.ring.all.map((key) => key.id)).toEqual([rotation.newest]);
  expect((await restarted.grants.get(ada, 'linear'))?.grant).toEqual(grantOf());
  const sealed = (await findLinkClient(store, clientKey)) ?? '';
  expect(restarted.sealer.open('link_client', clientBound, sealed)).toEqual({
    ok: true,
    value: 'client-secret',
  });
});

test('after a rotation the database of before does not open any more', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  await store.scrub();
  const backup = join(folder.path, 'backup.db');
  await Bun.write(backup, readFileSync(path));
  const rotation = await vault.rotate();
  const early = openSqliteStore(backup);
  expect((await (await open(early)).grants.get(ada, 'linear'))?.grant).toEqual(grantOf());
  await forgetOldKeys(vault.ring, rotation);
  const ring = await openRing();
  const deps = { clock: systemClock, schedule: systemSchedule, log: silentLog };
  expect(await openVault({ store: early, ring, ...deps })).toEqual({ ok: false, error: 'wrong_key' });
  await early.close();
});

test('no grant is lost by rotations while two processes read, write, refresh and link', async () => {
  const other = openSqliteStore(path);
  const vaults = [await open(), await open(other)];
  const people = Array.from({ length: 20 }, (_, index) => ownerOf(`p${index}`));
  for (const person of people) {
    await vaults[0]?.grants.put(person, 'linear', grantOf({ accessToken: new Secret(person.subject) }));
  }
  let isOver = false;
  let refreshes = 0;
  const work = vaults.map(async ({ grants }, index) => {
    for (let round = 0; !isOver; round++) {
      for (const person of people) {
        const stored = await grants.get(person, 'linear');
        if (stored === undefined) throw new Error(`${person.subject} is lost in round ${round}`);
        if (await grants.replace(person, 'linear', stored.generation, stored.grant)) refreshes += 1;
        await grants.put(ownerOf(`new-${index}-${round}`), 'linear', grantOf());
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return grants;
  });
  // On a busy machine five are over before the others have come far.
  for (let rotations = 0; rotations < 5 || refreshes <= 40; rotations++) {
    const turning = vaults[rotations % 2];
    const rotation = await turning?.rotate();
    expect(rotation?.unreadable).toBe(0);
    await Bun.sleep(20);
  }
  isOver = true;
  await Promise.all(work);
  const last = await vaults[0]?.rotate();
  if (vaults[0] && last) await forgetOldKeys(vaults[0].ring, last);
  const restarted = await open();
  for (const person of people) {
    expect((await restarted.grants.get(person, 'linear'))?.grant.accessToken.reveal()).toBe(person.subject);
  }
  const [total] = await store.all('SELECT count(*) AS n FROM vault_owners');
  expect((await restarted.users()).length).toBe(Number(Object(total).n));
  await other.close();
});

test('a refresh that is on its way while the keys turn is not lost', async () => {
  const provider = startTokenProvider();
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf({ expiresAt: Date.now() - 1 }));
  const tokens = createGrantTokens({
    grants: vault.grants,
    refresh: refreshAt(provider.url, systemClock.now),
    revoke: async () => true,
    clock: systemClock,
    schedule: systemSchedule,
    random: Math.random,
    log: silentLog,
  });
  const asked = tokens.token(ada, 'linear');
  await Bun.sleep(5);
  await vault.rotate();
  await vault.rotate();
  const token = await asked;
  expect(token.ok && token.value.reveal()).toBe('access-2');
  expect((await (await open()).grants.get(ada, 'linear'))?.grant.refreshToken?.reveal()).toBe('refresh-2');
  await provider.stop();
});

test('links under way go on after a rotation, and with the new key alone', async () => {
  const vault = await open();
  const flows = createLinkFlows({ store, sealer: vault.sealer, clock: systemClock });
  const tickets = createLinkTickets({ store, sealer: vault.sealer, clock: systemClock });
  const holder = { owner: ada, server: 'linear', browser: 'b' };
  const flow = await flows.add(holder, { stage: 'answered', grant: grantOf() });
  const ticket = await tickets.issue(ada, 'linear');
  expect(await forgetOldKeys(vault.ring, await vault.rotate())).toEqual({ ok: true, value: undefined });
  expect(vault.ring.all).toHaveLength(1);
  expect(await tickets.consume(ticket, ada, 'linear')).toBe(true);
  expect((await flows.take(flow, holder, 'answered')).ok).toBe(true);
});

test('older keys are not forgotten where something is still sealed with them', async () => {
  const vault = await open();
  const rotation = await vault.rotate();
  const refused = await forgetOldKeys(vault.ring, { ...rotation, isSettled: false });
  expect(refused).toEqual({ ok: false, error: 'still_needed' });
  expect(vault.ring.all).toHaveLength(2);
});

test('what no key opens is counted and left as it is', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  await store.run("UPDATE vault_owners SET sealed = substr(sealed, 1, 60) || 'AAAA'");
  const rotation = await vault.rotate();
  expect(rotation.unreadable).toBe(1);
  expect(rotation.resealed).toBe(1);
});

test('everybody in the vault is listed, without secrets', async () => {
  const vault = await open();
  await vault.grants.put(ownerOf('bob'), 'linear', grantOf());
  await vault.grants.put(ada, 'linear', grantOf());
  await vault.grants.put(ada, 'github', grantOf({ account: 'ada-gh' }));
  const users = await vault.users();
  expect(users.map(({ owner, grants }) => [owner.subject, grants.map(({ server }) => server)])).toEqual([
    ['ada', ['github', 'linear']],
    ['bob', ['linear']],
  ]);
  expect(JSON.stringify(users)).not.toMatch(/access-1|refresh-1/);
});

test('who was erased has nothing left in the files, and is a newcomer afterwards', async () => {
  const vault = await open();
  const there = await open(store);
  await vault.grants.put(ada, 'linear', grantOf());
  await vault.grants.put(ada, 'github', grantOf());
  await vault.grants.put(ownerOf('bob'), 'linear', grantOf());
  expect(await there.grants.get(ada, 'linear')).toBeDefined();
  const rows = [
    ...(await store.all('SELECT g.sealed FROM vault_grants g JOIN vault_owners o USING (owner)')),
    ...(await store.all('SELECT sealed FROM vault_owners')),
    ...(await store.all('SELECT owner AS sealed FROM vault_owners')),
  ].map((row) => String(Object(row).sealed));
  const left = () =>
    rows.filter((text) => [path, `${path}-wal`].some((file) => readFileSync(file).includes(text)));
  expect(left()).toHaveLength(7);
  expect(await vault.has(ada)).toBe(true);

  await vault.erase(ada);
  expect(left()).toHaveLength(3);
  expect(await vault.has(ada)).toBe(false);
  for (const { grants } of [vault, there]) {
    expect(await grants.get(ada, 'linear')).toBeUndefined();
    expect(await grants.list(ada)).toEqual([]);
  }
  expect((await vault.users()).map(({ owner }) => owner.subject)).toEqual(['bob']);
  await there.grants.put(ada, 'linear', grantOf({ accessToken: new Secret('again') }));
  expect((await vault.grants.get(ada, 'linear'))?.grant.accessToken.reveal()).toBe('again');
});

test('what an erased user had under way is gone too, and nobody else’s is', async () => {
  const vault = await open();
  const flows = createLinkFlows({ store, sealer: vault.sealer, clock: systemClock });
  const tickets = createLinkTickets({ store, sealer: vault.sealer, clock: systemClock });
  const flow = { stage: 'answered', grant: grantOf() } as const;
  const holderOf = (subject: string) => ({ owner: ownerOf(subject), server: 'linear', browser: 'b' });
  const adas = await flows.add(holderOf('ada'), flow);
  const bobs = await flows.add(holderOf('bob'), flow);
  const adasTicket = await tickets.issue(ada, 'linear');
  const bobsTicket = await tickets.issue(ownerOf('bob'), 'linear');
  await vault.erase(ada);
  expect(await flows.take(adas, holderOf('ada'), 'answered')).toEqual({ ok: false, error: 'unknown' });
  expect((await flows.take(bobs, holderOf('bob'), 'answered')).ok).toBe(true);
  expect(await tickets.open(adasTicket)).toBeUndefined();
  expect(await tickets.open(bobsTicket)).toBeDefined();
});

test('the tokens of a link that was finished are kept in the grant alone', async () => {
  const vault = await open();
  const flows = createLinkFlows({ store, sealer: vault.sealer, clock: systemClock });
  const holder = { owner: ada, server: 'linear', browser: 'b' };
  const secret = await flows.add(holder, { stage: 'answered', grant: grantOf() });
  expect((await flows.take(secret, holder, 'answered')).ok).toBe(true);
  expect(await store.all('SELECT sealed, consumed FROM link_flows')).toEqual([{ sealed: '', consumed: 1 }]);
});

test('a grant written while its user is erased is never left under a key that is gone', async () => {
  const vaults = [await open(), await open()];
  const rounds = Array.from({ length: 50 }, async () => {
    await vaults[0]?.grants.put(ada, 'linear', grantOf());
    await vaults[1]?.erase(ada);
  });
  await Promise.all(rounds);
  await vaults[0]?.grants.put(ada, 'linear', grantOf());
  expect((await vaults[1]?.grants.get(ada, 'linear'))?.grant).toEqual(grantOf());
});

test('a removed grant leaves nothing in the files', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  const sealed = String(Object((await store.all('SELECT sealed FROM vault_grants'))[0]).sealed);
  const isThere = () => [path, `${path}-wal`].some((file) => readFileSync(file).includes(sealed));
  expect(isThere()).toBe(true);
  await vault.grants.remove(ada, 'linear');
  expect(isThere()).toBe(false);
});

test('a lost key is a refusal to start, not a new vault', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  rmSync(join(folder.path, 'keys'), { recursive: true });
  const deps = { store, clock: systemClock, schedule: systemSchedule, log: silentLog };
  expect(await openVault({ ...deps, ring: await openRing() })).toEqual({ ok: false, error: 'wrong_key' });
});

test('five thousand people’s keys turn in a moment', async () => {
  const vault = await open();
  await vault.grants.put(ada, 'linear', grantOf());
  const [own] = await store.all('SELECT name, sealed FROM vault_keys');
  const lookup = vault.sealer.open('vault_key', ['lookup'], String(Object(own).sealed));
  const hashKey = Buffer.from(lookup.ok ? lookup.value : '', 'base64url');
  const sealer = createSealer({ newest: vault.ring.newest, all: vault.ring.all });
  const rows = Array.from({ length: 5_000 }, (_, index) => {
    const principal = principalKey('https://auth.example.com', `u${index}`);
    const owner = new Bun.CryptoHasher('sha256', hashKey).update(principal).digest('base64url');
    const text = JSON.stringify([principal, Buffer.alloc(32, index).toString('base64url')]);
    return { owner, sealed: sealer.seal('vault_key', [owner], text) };
  });
  await store.batch(
    rows.map(({ owner, sealed }) => ({
      sql: 'INSERT INTO vault_owners (owner, sealed, created_at) VALUES (?, ?, 1)',
      params: [owner, sealed],
    })),
  );
  const elapsedMs = stopwatch();
  const rotation = await vault.rotate();
  const tookMs = elapsedMs();
  expect(rotation.resealed).toBe(5_002);
  expect(tookMs).toBeLessThan(10_000);
});
