import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogFields, silentLog } from '#kernel/log.ts';
import { err, ok } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { Secret } from '#kernel/secret.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import type { Grant } from '#vault/grant.ts';
import { createGrantTokens } from '#vault/grant-tokens.ts';
import type { RefreshGrant } from '#vault/refresh.ts';
import { createMovingClock } from '../support/moving-clock.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { refreshAt, startTokenProvider } from './token-provider.ts';
import { grantOf, openTestVault, ownerOf } from './vault-kit.ts';

const ada = ownerOf('ada');
let store: Store;
let provider: ReturnType<typeof startTokenProvider>;
beforeEach(() => {
  store = openSqliteStore(':memory:');
  provider = startTokenProvider();
});
afterEach(async () => {
  await provider.stop();
  await store.close();
});

/** Ada has linked linear; her token is good for that long. */
async function linked(lifeMs: number, changes: Partial<Grant> = {}, refresh?: RefreshGrant) {
  const clock = createMovingClock();
  const events: { event: string; fields: LogFields | undefined }[] = [];
  const note = (event: string, fields?: LogFields) => void events.push({ event, fields });
  const { grants } = await openTestVault(store, { clock });
  await grants.put(ada, 'linear', grantOf({ expiresAt: clock.now() + lifeMs, ...changes }));
  const revoked: (string | undefined)[] = [];
  const tokens = createGrantTokens({
    grants,
    refresh: refresh ?? refreshAt(provider.url, clock.now),
    async revoke(_server, grant) {
      revoked.push(grant.refreshToken?.reveal());
      return true;
    },
    clock,
    schedule: systemSchedule,
    random: () => 0.5,
    log: { ...silentLog, warn: note, error: note },
  });
  const token = async () => {
    const result = await tokens.token(ada, 'linear');
    return result.ok ? result.value.reveal() : result.error;
  };
  const rejected = async (value: string) => {
    const result = await tokens.rejected(ada, 'linear', new Secret(value));
    return result.ok ? result.value.reveal() : result.error;
  };
  return { clock, grants, tokens, token, rejected, events, revoked };
}

test('a token is handed out as it is until a minute before it expires, then refreshed', async () => {
  const { clock, token } = await linked(600_000);
  expect(await token()).toBe('access-1');
  clock.advance(538_000);
  expect(await token()).toBe('access-1');
  expect(provider.state.refreshes).toBe(0);
  clock.advance(3_000);
  expect(await token()).toBe('access-2');
  expect(await token()).toBe('access-2');
  expect(provider.state.refreshes).toBe(1);
});

test('a token that never says when it ends is not refreshed by itself', async () => {
  const { clock, token } = await linked(0, { expiresAt: undefined });
  clock.advance(1e10);
  expect(await token()).toBe('access-1');
  expect(provider.state.refreshes).toBe(0);
});

test('who has linked nothing gets no token', async () => {
  const { tokens } = await linked(600_000);
  expect(await tokens.token(ada, 'github')).toEqual(err('not_linked'));
  expect(await tokens.token(ownerOf('bob'), 'linear')).toEqual(err('not_linked'));
  expect(await tokens.isLinked(ada, 'github')).toBe('unlinked');
  expect(await tokens.isLinked(ada, 'linear')).toBe('linked');
});

test('forty callers of one process make one refresh', async () => {
  const { token } = await linked(-1);
  const got = await Promise.all(Array.from({ length: 40 }, token));
  expect(new Set(got)).toEqual(new Set(['access-2']));
  expect(provider.state.refreshes).toBe(1);
});

test('forty callers in each of three processes make one refresh', async () => {
  await using folder = await createTempFolder();
  const path = join(folder.path, 'cortex.db');
  const shared = openSqliteStore(path);
  const { grants } = await openTestVault(shared);
  await grants.put(ada, 'linear', grantOf({ expiresAt: Date.now() - 1 }));
  await shared.close();
  const command = ['bun', join(import.meta.dirname, 'refresh-child.ts'), path, provider.url, '40'];
  const children = [1, 2, 3].map(() => Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe' }));
  const readers = children.map((child) => child.stdout.getReader());
  const read = async (reader: (typeof readers)[number]) =>
    new TextDecoder().decode((await reader.read()).value);
  expect(await Promise.all(readers.map(read))).toEqual(['ready\n', 'ready\n', 'ready\n']);
  for (const child of children) {
    child.stdin.write('go\n');
    await child.stdin.flush();
  }
  const got: unknown[] = (await Promise.all(readers.map(read))).flatMap((text) => JSON.parse(text));
  expect(got).toHaveLength(120);
  expect(new Set(got)).toEqual(new Set(['access-2']));
  expect(provider.state.refreshes).toBe(1);
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0]);
}, 30_000);

test('while the provider is down the old token serves as long as it is good, and attempts grow rare', async () => {
  const { clock, token, events, grants } = await linked(30_000);
  provider.state.isDown = true;
  expect(await token()).toBe('access-1');
  expect(await token()).toBe('access-1');
  expect(provider.state.refreshes).toBe(1);
  clock.advance(1_000);
  expect(await token()).toBe('access-1');
  expect(provider.state.refreshes).toBe(2);
  clock.advance(1_000);
  expect(await token()).toBe('access-1');
  expect(provider.state.refreshes).toBe(2);
  clock.advance(30_000);
  expect(await token()).toBe('unavailable');
  expect(events[0]).toEqual({
    event: 'vault.refresh_failed',
    fields: { server: 'linear', reason: 'unavailable' },
  });
  provider.state.isDown = false;
  clock.advance(60_000);
  expect(await token()).toMatch(/^access-\d$/);
  expect((await grants.get(ada, 'linear'))?.isDead).toBe(false);
});

test('a provider that does not answer holds no call up for long while the old token is good', async () => {
  const { token } = await linked(30_000);
  provider.state.isSlow = true;
  const elapsedMs = stopwatch();
  expect(await token()).toBe('access-1');
  expect(elapsedMs()).toBeLessThan(5_000);
});

test('a grant that the provider has ended must be linked again, and stays known', async () => {
  const { token, tokens, grants } = await linked(-1);
  provider.state.isEnded = true;
  expect(await token()).toBe('link_again');
  expect(await token()).toBe('link_again');
  expect(provider.state.refreshes).toBe(1);
  expect(await tokens.isLinked(ada, 'linear')).toBe('dead');
  expect((await grants.list(ada)).map(({ server, isDead }) => [server, isDead])).toEqual([['linear', true]]);
  await grants.put(ada, 'linear', grantOf({ expiresAt: undefined }));
  expect(await token()).toBe('access-1');
});

test('an expired token without a refresh token must be linked again', async () => {
  const { clock, token, tokens } = await linked(10_000, { refreshToken: undefined });
  expect(await token()).toBe('access-1');
  clock.advance(11_000);
  expect(await token()).toBe('link_again');
  expect(await tokens.isLinked(ada, 'linear')).toBe('dead');
});

test('a refused token is refreshed at once, once however many were refused', async () => {
  const { rejected } = await linked(600_000);
  const got = await Promise.all(Array.from({ length: 20 }, () => rejected('access-1')));
  expect(new Set(got)).toEqual(new Set(['access-2']));
  expect(await rejected('access-1')).toBe('access-2');
  expect(provider.state.refreshes).toBe(1);
});

test('a server that refuses fresh tokens too makes no refresh of every call', async () => {
  const { rejected } = await linked(600_000);
  expect(await rejected('access-1')).toBe('access-2');
  for (let call = 0; call < 5; call++) expect(await rejected('access-2')).toBe('link_again');
  expect(provider.state.refreshes).toBe(1);
});

test('a refused token that cannot be refreshed must be linked again', async () => {
  const { rejected, token } = await linked(600_000, { refreshToken: undefined });
  expect(await rejected('access-1')).toBe('link_again');
  expect(await token()).toBe('link_again');
});

test('a refused token of a user who has unlinked meanwhile is not looked for elsewhere', async () => {
  const { rejected, grants } = await linked(600_000);
  await grants.remove(ada, 'linear');
  expect(await rejected('access-1')).toBe('not_linked');
});

test('tokens that live shorter than a minute are not refreshed at every call', async () => {
  await provider.stop();
  provider = startTokenProvider({ lifetimeSeconds: 30 });
  const { clock, token } = await linked(-1);
  expect(await token()).toBe('access-2');
  expect(await token()).toBe('access-2');
  clock.advance(26_000);
  expect(await token()).toBe('access-3');
  expect(provider.state.refreshes).toBe(2);
});

test('a new link made during a refresh wins over what the refresh brings', async () => {
  const gate = Promise.withResolvers<void>();
  const { token, grants, revoked } = await linked(-1, {}, async () => {
    await gate.promise;
    return ok(grantOf({ accessToken: new Secret('from-the-old-account') }));
  });
  const asked = token();
  await Bun.sleep(20);
  await grants.put(ada, 'linear', grantOf({ accessToken: new Secret('new-account'), expiresAt: undefined }));
  gate.resolve();
  expect(await asked).toBe('new-account');
  expect(await token()).toBe('new-account');
  // Many providers would end the new link with it.
  expect(revoked).toEqual([]);
});

test('an account unlinked during its refresh is not linked by it, and what it brings is given back', async () => {
  const gate = Promise.withResolvers<void>();
  const { token, grants, revoked } = await linked(-1, {}, async () => {
    await gate.promise;
    return ok(grantOf({ refreshToken: new Secret('too late') }));
  });
  const asked = token();
  await Bun.sleep(20);
  await grants.remove(ada, 'linear');
  gate.resolve();
  expect(await asked).toBe('not_linked');
  expect(await grants.get(ada, 'linear')).toBeUndefined();
  expect(revoked).toEqual(['too late']);
});

test('the end of an old grant does not touch the link made meanwhile', async () => {
  const gate = Promise.withResolvers<void>();
  const { token, grants } = await linked(-1, {}, async () => {
    await gate.promise;
    return err('invalid_grant');
  });
  const asked = token();
  await Bun.sleep(20);
  await grants.put(ada, 'linear', grantOf({ accessToken: new Secret('new'), expiresAt: undefined }));
  gate.resolve();
  expect(await asked).toBe('new');
});

test('a vault that fails is unavailable, not unlinked, and says so', async () => {
  const { token, rejected, events } = await linked(600_000);
  await store.run('DROP TABLE vault_grants');
  expect(await token()).toBe('unavailable');
  expect(await rejected('access-1')).toBe('unavailable');
  expect(events.map(({ event }) => event)).toEqual(['vault.unavailable', 'vault.unavailable']);
});
