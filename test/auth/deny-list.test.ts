import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createDenied, type Denial, type Denied } from '#auth/denied.ts';
import { type DenyList, type DenyListDeps, openDenyList } from '#auth/deny-list.ts';
import type { Revocation } from '#auth/revocation.ts';
import { createLocalBus } from '#cluster/bus.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createFakeClock, createLogBook, type FakeClock } from './resource-server.ts';

const issuer = 'https://auth.example.com';

let store: Store;
let clock: FakeClock;
let book: ReturnType<typeof createLogBook>;
/** Passes as `clock` does, and can be set to another time. */
let jumping: Clock & { jump(ms: number): void };

beforeEach(() => {
  store = openSqliteStore(':memory:');
  clock = createFakeClock();
  book = createLogBook();
  let offMs = 0;
  jumping = {
    now: () => clock.now() + offMs,
    monotonic: () => clock.monotonic(),
    jump: (ms) => {
      offMs += ms;
    },
  };
  return () => store.close();
});

function open(settings: Partial<DenyListDeps> = {}): Promise<DenyList> {
  const bus = createLocalBus<readonly Denial[], { streams: number; calls: number }>();
  return openDenyList({ store, bus, clock, log: book.log, maxTokenAgeSeconds: () => 86_400, ...settings });
}

/** The hourly sweep, when it is told to. */
function fakeTimers(): Disposable & { tick(): void } {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  return { tick: () => vi.advanceTimersByTime(3_600_000), [Symbol.dispose]: () => vi.useRealTimers() };
}

function principal(claims: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    issuer,
    subject: 'alice',
    key: JSON.stringify([claims.issuer ?? issuer, claims.subject ?? 'alice']),
    clientId: 'client-1',
    tokenScopes: [],
    scopes: new Set(),
    scopeKey: '',
    plan: undefined,
    email: undefined,
    role: undefined,
    pool: undefined,
    tokenId: 'jti-1',
    sessionId: 'sid-1',
    grantId: 'grant-1',
    audience: [],
    issuedAt: clock.seconds(),
    expiresAt: clock.seconds() + 3_600,
    token: new Secret('t'),
    tokenKind: 'jwt',
    ...claims,
  };
}

const each: readonly Revocation[] = [
  { kind: 'token', issuer, value: 'jti-1', before: undefined },
  { kind: 'session', issuer, value: 'sid-1', before: undefined },
  { kind: 'subject', issuer, value: 'alice', before: undefined },
  { kind: 'client', issuer, value: 'client-1', before: undefined },
  { kind: 'grant', issuer, value: 'grant-1', before: undefined },
  { kind: 'issuer', issuer, value: '', before: undefined },
];

describe('a denial', () => {
  test.each(each)('of a $kind refuses the token it means, and says what it was', async (revocation) => {
    const list = await open();
    expect(list.denies(principal())).toBeUndefined();
    const outcome = await list.deny([revocation], 'test');
    expect(outcome).toMatchObject({ ok: true, value: { replicas: 1, closed: { streams: 0, calls: 0 } } });
    expect(list.denies(principal())).toBe(revocation.kind);
  });

  test.each(each)('of a $kind of one issuer leaves the tokens of another alone', async (revocation) => {
    const list = await open();
    await list.deny([revocation], 'test');
    expect(list.denies(principal({ issuer: 'https://other.example.com' }))).toBeUndefined();
  });

  test('as one issuer may say it cannot name another', async () => {
    const list = await open();
    const forged = { kind: 'subject', value: 'alice', before: undefined, issuer } as const;
    await list.denyListFor('https://evil.example.com').deny([forged], 'feed');
    expect(list.denies(principal())).toBeUndefined();
    expect(list.denies(principal({ issuer: 'https://evil.example.com' }))).toBe('subject');
  });

  test('refuses a token of the same second, and none of the next', async () => {
    const list = await open();
    await list.deny([{ kind: 'subject', issuer, value: 'alice', before: undefined }], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() }))).toBe('subject');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 1 }))).toBeUndefined();
  });

  test.each(each)('of a $kind is known after a restart', async (revocation) => {
    const before = await open();
    await before.deny([revocation], 'test');
    before.close();
    expect((await open()).denies(principal())).toBe(revocation.kind);
  });
});

describe('what is "until now"', () => {
  const ofAlice = { kind: 'subject', issuer, value: 'alice', before: undefined } as const;

  test('reaches as far ahead as the issuer’s clock was seen to be, so that no token of a moment ago outlives it', async () => {
    const list = await open();
    list.sawToken({ issuer, issuedAt: clock.seconds() + 20 });
    await list.deny([ofAlice], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 19 }))).toBe('subject');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 21 }))).toBeUndefined();
  });

  test('is not moved by what another issuer’s tokens say, nor beyond the tolerance', async () => {
    const list = await open();
    list.sawToken({ issuer: 'https://other.example.com', issuedAt: clock.seconds() + 20 });
    list.sawToken({ issuer: 'https://far.example.com', issuedAt: clock.seconds() + 9_999 });
    await list.deny([ofAlice, { ...ofAlice, issuer: 'https://far.example.com' }], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 1 }))).toBeUndefined();
    const far = (ahead: number) =>
      principal({ issuer: 'https://far.example.com', issuedAt: clock.seconds() + ahead });
    expect([far(30), far(31)].map(list.denies)).toEqual(['subject', undefined]);
  });

  test('holds for the tokens in use when our clock has just been put back', async () => {
    const list = await open({ clock: jumping });
    jumping.jump(-20_000);
    await list.deny([ofAlice], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() }))).toBe('subject');
  });

  test('counts the second of a token that tells fractions', async () => {
    const list = await open();
    await list.deny([{ ...ofAlice, before: clock.seconds() + 0.2 }], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 0.9 }))).toBe('subject');
  });
});

describe('a denial is kept', () => {
  const one = (value: string): Revocation => ({ kind: 'session', issuer, value, before: undefined });
  const rows = () => store.all('SELECT value FROM revocations');

  test('until no token that it means can be good, and is then forgotten by the store and the memory', async () => {
    using timers = fakeTimers();
    const list = await open();
    await list.deny([one('sid-1')], 'test');
    clock.advance(86_400_000);
    timers.tick();
    expect(list.denies(principal({ issuedAt: clock.seconds() - 86_400 }))).toBe('session');
    expect(await rows()).toHaveLength(1);
    clock.advance(3_600_000);
    timers.tick();
    await vi.waitFor(async () => expect(await rows()).toHaveLength(0));
    clock.advance(2 * 86_400_000);
    timers.tick();
    timers.tick();
    expect(list.denies(principal({ issuedAt: 0 }))).toBeUndefined();
  });

  test('while the clock jumps a week ahead and back: no token comes back to life', async () => {
    using timers = fakeTimers();
    const list = await open({ clock: jumping });
    await list.deny([one('sid-1')], 'test');
    jumping.jump(7 * 86_400_000);
    timers.tick();
    timers.tick();
    jumping.jump(-7 * 86_400_000);
    expect(list.denies(principal())).toBe('session');
    expect(await rows()).toHaveLength(1);
    expect((await open({ clock: jumping })).denies(principal())).toBe('session');
  });

  test('with the later of two times, in memory and after a restart', async () => {
    const list = await open();
    const now = clock.seconds();
    await list.deny([{ ...one('sid-1'), before: now }], 'test');
    await list.deny([{ ...one('sid-1'), before: now - 600 }], 'test');
    for (const held of [list, await open()])
      expect(held.denies(principal({ issuedAt: now }))).toBe('session');
  });

  test('also where a command wrote it while the gateway was starting', async () => {
    const gateway = await open();
    await (await open()).deny([one('sid-1')], 'a command');
    expect(gateway.denies(principal())).toBeUndefined();
    await gateway.readKept();
    expect(gateway.denies(principal())).toBe('session');
  });
});

describe('nothing is acknowledged', () => {
  const fine: Revocation = { kind: 'subject', issuer, value: 'alice', before: undefined };

  test('where the store cannot be written, and that is loud; what was asked for is denied all the same', async () => {
    const list = await open();
    await store.close();
    expect(await list.deny([fine], 'test')).toMatchObject({ ok: false, error: { reason: 'store_failed' } });
    expect(list.denies(principal())).toBe('subject');
    expect(book.lines).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'revocation.not_kept' }),
    );
  });

  test('where a replica does not confirm', async () => {
    const silent = { publish: () => Promise.reject(new Error('silent')), join: () => () => {} };
    const list = await open({ bus: silent });
    expect(await list.deny([fine], 'test')).toMatchObject({ ok: false, error: { reason: 'replica_silent' } });
    expect((await open()).denies(principal())).toBe('subject');
  });

  test('where something in use could not be ended; the rest is', async () => {
    const list = await open();
    const ended: boolean[] = [];
    list.onDenied(() => {
      throw new Error('a fault');
    });
    list.onDenied(
      (isDenied) => void ended.push(isDenied(principal()), isDenied(principal({ subject: 'bob' }))),
    );
    expect(await list.deny([fine], 'test')).toMatchObject({ ok: false, error: { reason: 'replica_silent' } });
    expect(ended).toEqual([true, false]);
    expect(list.denies(principal())).toBe('subject');
  });

  test('beyond the bound of an issuer: others, and the whole issuer, still can be denied', async () => {
    const list = await open({ maxPerIssuer: 2 });
    const sessions = ['a', 'b', 'c'].map((value): Revocation => ({ ...fine, kind: 'session', value }));
    expect(await list.deny(sessions, 'test')).toMatchObject({ ok: false, error: { reason: 'list_full' } });
    expect(await list.deny(sessions.slice(1), 'test')).toMatchObject({ ok: true });
    expect(await list.deny([fine], 'test')).toMatchObject({ ok: false, error: { reason: 'list_full' } });
    expect(list.denies(principal())).toBeUndefined();
    const other = { ...fine, issuer: 'https://other.example.com' };
    expect(await list.deny([other], 'test')).toMatchObject({ ok: true });
    expect(await list.deny([{ ...fine, kind: 'issuer', value: '' }], 'test')).toMatchObject({ ok: true });
    expect(list.denies(principal())).toBe('issuer');
  });

  const refused: readonly (readonly [string, Partial<Revocation>])[] = [
    ['an empty value, which would mean every token without one', { value: '' }],
    ['a value for a whole issuer', { kind: 'issuer' }],
    ['no issuer', { issuer: '' }],
    ['a value longer than any token holds', { value: 'x'.repeat(513) }],
    ['a time that is no number', { before: Number.NaN }],
    ['a time before 1970', { before: -1 }],
    ['a time in milliseconds', { before: 1_800_000_000_000 }],
  ];
  test.each(refused)('for %s', async (_what, changes) => {
    const list = await open();
    const outcome = await list.deny([fine, { ...fine, ...changes }], 'test');
    expect(outcome).toMatchObject({ ok: false, error: { reason: 'value_refused' } });
    expect(list.denies(principal())).toBeUndefined();
    expect(await store.all('SELECT value FROM revocations')).toEqual([]);
  });
});

describe('the cost of looking', () => {
  function nanoseconds(denies: Denied['denies'], tokens: readonly Principal[]): number {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round++) {
      const tookMs = stopwatch();
      for (const token of tokens) denies(token);
      best = Math.min(best, (tookMs() * 1e6) / tokens.length);
    }
    return best;
  }

  test('is far below a microsecond with nothing denied, and stays small with 100,000 and a million', () => {
    const tokens = Array.from({ length: 10_000 }, (_, at) =>
      principal({ subject: `user-${at}`, sessionId: `session-${at}`, tokenId: `token-${at}` }),
    );
    const kinds = ['subject', 'session', 'token'] as const;
    const costs = [0, 100_000, 1_000_000].map((count) => {
      const denied = createDenied();
      for (let at = 0; at < count; at++) {
        denied.add({ kind: kinds[at % kinds.length] ?? 'token', issuer, value: `denied-${at}`, before: 1 });
      }
      return {
        count,
        many: nanoseconds(denied.denies, tokens),
        one: nanoseconds(denied.denies, tokens.slice(0, 1)),
      };
    });
    for (const { count, many, one } of costs) {
      process.stdout.write(
        `deny-list of ${count}: ${many.toFixed(0)} ns a look for 10,000 tokens, ${one.toFixed(0)} ns for one\n`,
      );
    }
    expect(costs[0]?.many).toBeLessThan(1_000);
    // Memory is slow for many tokens: how slow depends on what else the machine does.
    expect(costs[2]?.many).toBeLessThan(100_000);
  }, 30_000);
});
