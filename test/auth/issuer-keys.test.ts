import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stopwatch } from '../support/stopwatch.ts';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import {
  createResourceServer,
  goodClaims,
  principalOf,
  type ResourceServer,
  reasonOf,
} from './resource-server.ts';

const keyPath = '/keys';
let first: SigningKey;
let second: SigningKey;
let server: KeyServer;

beforeAll(async () => {
  first = await makeKey('ES256', 'first');
  second = await makeKey('ES256', 'second');
  server = startKeyServer();
});
afterEach(() => {
  server.documents.clear();
  server.requests.length = 0;
  server.isDown = false;
  server.delayMs = 0;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function keyFetches(): number {
  return server.requests.filter((path) => path === keyPath).length;
}

let serial = 0;
/** A good token nobody has seen before. */
function fresh(
  gateway: ResourceServer,
  key: SigningKey,
  header = {},
  issuer = server.origin,
): Promise<string> {
  serial += 1;
  return sign(key, { ...goodClaims(issuer, gateway.clock), jti: String(serial) }, header);
}

async function outcome(gateway: ResourceServer, key: SigningKey, header = {}): Promise<string> {
  return reasonOf(await gateway.ask(await fresh(gateway, key, header)));
}

describe('fetching keys', () => {
  test('happens at the first token and not before, once for many at the same time', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(server.requests).toEqual([]);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => fresh(gateway, first)));
    const outcomes = await Promise.all(tokens.map((token) => gateway.ask(token)));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(server.requests).toEqual(['/.well-known/oauth-authorization-server', keyPath]);
  });

  test('happens at most once when 200 unknown kids arrive, and not again within 5 s', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    gateway.clock.advance(5_000);
    const storm = async () => {
      const tokens = await Promise.all(
        Array.from({ length: 200 }, (_, at) => fresh(gateway, second, { kid: `unknown-${at}` })),
      );
      const reasons = (await Promise.all(tokens.map((token) => gateway.ask(token)))).map(reasonOf);
      expect(new Set(reasons)).toEqual(new Set(['key_unknown']));
    };
    await storm();
    expect(keyFetches()).toBe(2);
    gateway.clock.advance(4_999);
    await storm();
    expect(keyFetches()).toBe(2);
    gateway.clock.advance(1);
    await storm();
    expect(keyFetches()).toBe(3);
    expect(await outcome(gateway, first)).toBe('admitted');
  });

  test('follows a rotation at the first token of the new key', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    publish(server, [second, first]);
    expect(await outcome(gateway, second)).toBe('key_unknown');
    gateway.clock.advance(5_000);
    expect(await outcome(gateway, second)).toBe('admitted');
    expect(await outcome(gateway, first)).toBe('admitted');
  });

  test('tries each key where kids repeat, and each of its kind where a token has none', async () => {
    const twin = await makeKey('ES256', 'first');
    publish(server, [first, twin]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    expect(await outcome(gateway, twin)).toBe('admitted');
    expect(await outcome(gateway, twin, { kid: undefined })).toBe('admitted');
    expect(await outcome(gateway, second, { kid: 'first' })).toBe('signature_invalid');
  });

  test('refuses documents that are no key set, and sets of more than 64 keys', async () => {
    const many = Array.from({ length: 65 }, (_, at) => ({ ...first.jwk, kid: `k${at}` }));
    for (const document of [{ keys: 'none' }, [], { keys: [1] }, { keys: [{}] }, { keys: many }]) {
      publish(server, [first]);
      server.documents.set(keyPath, document);
      using gateway = createResourceServer([{ url: server.origin }]);
      expect(await outcome(gateway, first)).toBe('keys_unavailable');
    }
  });

  test('never verifies with a shared secret or a private key that an issuer published', async () => {
    publish(server, []);
    server.documents.set(keyPath, { keys: [{ kty: 'oct', kid: 'first', k: 'AAAA', alg: 'ES256' }] });
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('key_unknown');
  });
});

describe('an issuer that is down', () => {
  test('at the start: 503 at once for 5 s, then a new try', async () => {
    publish(server, [first]);
    server.isDown = true;
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('keys_unavailable');
    const tried = server.requests.length;
    expect(await outcome(gateway, first)).toBe('keys_unavailable');
    expect(server.requests.length).toBe(tried);
    server.isDown = false;
    gateway.clock.advance(5_000);
    expect(await outcome(gateway, first)).toBe('admitted');
  });

  test('later: its last good keys serve for 24 h, with an alarm, and no longer', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    server.isDown = true;
    gateway.clock.advance(24 * 3_600_000);
    expect(await outcome(gateway, second)).toBe('key_unknown');
    expect(await outcome(gateway, first)).toBe('admitted');
    const alarm = gateway.lines.find(({ event }) => event === 'auth.keys_unavailable');
    expect(alarm).toMatchObject({
      level: 'error',
      fields: { issuer: server.origin, serving_last_good: true, age_ms: 24 * 3_600_000 },
    });
    gateway.clock.advance(5_000);
    expect(await outcome(gateway, first)).toBe('keys_unavailable');
    server.isDown = false;
    gateway.clock.advance(5_000);
    expect(await outcome(gateway, first)).toBe('admitted');
  });

  test('holds up no token of a known key while it is slow, and no other issuer', async () => {
    await using other = startKeyServer();
    publish(server, [first]);
    publish(other, [second]);
    using gateway = createResourceServer([{ url: server.origin }, { url: other.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    server.delayMs = 2_000;
    gateway.clock.advance(5_000);
    const waiting = outcome(gateway, second);
    const elapsedMs = stopwatch();
    expect(await outcome(gateway, first)).toBe('admitted');
    expect(reasonOf(await gateway.ask(await fresh(gateway, second, {}, other.origin)))).toBe('admitted');
    expect(elapsedMs()).toBeLessThan(1_000);
    expect(await waiting).toBe('key_unknown');
  });

  test('does not stop a later fetch even if the port itself throws', async () => {
    using gateway = createResourceServer([{ url: server.origin }], {
      fetchJson: () => Promise.reject(new Error('broken port')),
    });
    expect(await outcome(gateway, first)).toBe('keys_unavailable');
    gateway.clock.advance(5_000);
    expect(await outcome(gateway, first)).toBe('keys_unavailable');
    expect(gateway.lines.filter(({ event }) => event === 'auth.keys_unavailable').length).toBe(2);
  });
});

describe('the periodic refresh', () => {
  test('takes a withdrawn key away, also from tokens verified before', async () => {
    publish(server, [first, second]);
    using gateway = createResourceServer([{ url: server.origin }], { keyRefreshMs: 20 });
    const token = await fresh(gateway, first);
    const kept = await fresh(gateway, second);
    principalOf(await gateway.ask(token));
    publish(server, [second]);
    gateway.clock.advance(5_000);
    await expect.poll(keyFetches).toBe(2);
    await expect.poll(async () => reasonOf(await gateway.ask(token))).toBe('key_unknown');
    expect(reasonOf(await gateway.ask(kept))).toBe('admitted');
  });

  test('leaves verified tokens alone while the keys stay the same', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }], { keyRefreshMs: 20 });
    const token = await fresh(gateway, first);
    const principal = principalOf(await gateway.ask(token));
    gateway.clock.advance(5_000);
    await expect.poll(keyFetches).toBe(2);
    await Bun.sleep(20);
    expect(principalOf(await gateway.ask(token))).toBe(principal);
  });

  test('asks nothing of an issuer that no token has named, and stops with the gateway', async () => {
    publish(server, [first]);
    const gateway = createResourceServer([{ url: server.origin }], { keyRefreshMs: 5 });
    await Bun.sleep(30);
    expect(server.requests).toEqual([]);
    expect(await outcome(gateway, first)).toBe('admitted');
    gateway.authenticator.close();
    gateway.clock.advance(60_000);
    await Bun.sleep(30);
    expect(keyFetches()).toBe(1);
    expect(await outcome(gateway, second)).toBe('key_unknown');
    expect(keyFetches()).toBe(1);
  });
});

describe('a flush', () => {
  test('forgets withdrawn keys at once, without waiting for the cooldown', async () => {
    publish(server, [first]);
    using gateway = createResourceServer([{ url: server.origin }]);
    expect(await outcome(gateway, first)).toBe('admitted');
    publish(server, [second]);
    gateway.authenticator.flush();
    expect(await outcome(gateway, first)).toBe('key_unknown');
    expect(await outcome(gateway, second)).toBe('admitted');
  });

  test('disowns a fetch that began before it', async () => {
    publish(server, [first]);
    server.delayMs = 100;
    using gateway = createResourceServer([{ url: server.origin }]);
    const early = outcome(gateway, first);
    await expect.poll(() => server.requests.length).toBeGreaterThan(0);
    gateway.authenticator.flush();
    expect(await early).toBe('keys_unavailable');
    server.delayMs = 0;
    publish(server, [second]);
    expect(await outcome(gateway, second)).toBe('admitted');
    expect(await outcome(gateway, first)).toBe('key_unknown');
  });
});

describe('issuer mix-up', () => {
  test("keys of issuer A never verify a token of issuer B, under B's own kid neither", async () => {
    await using other = startKeyServer();
    publish(server, [first]);
    publish(other, [{ ...second, jwk: { ...second.jwk, kid: 'theirs' } }]);
    using gateway = createResourceServer([{ url: server.origin }, { url: other.origin }]);
    const claim = (header: object) => fresh(gateway, first, header, other.origin);
    expect(reasonOf(await gateway.ask(await claim({})))).toBe('key_unknown');
    expect(reasonOf(await gateway.ask(await claim({ kid: 'theirs' })))).toBe('signature_invalid');
    expect(reasonOf(await gateway.ask(await claim({ kid: undefined })))).toBe('signature_invalid');
  });
});
