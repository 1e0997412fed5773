import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDpop } from '#auth/dpop.ts';
import { createProofMemory } from '#auth/proof-memory.ts';
import { createProofNonces } from '#auth/proof-nonces.ts';
import { createSealer } from '#keys/sealer.ts';
import { ringOf } from '../audit/support/audit-kit.ts';
import { principal } from '../contract/principal.ts';
import { makeProofKey } from './dpop-kit.ts';
import { createFakeClock } from './resource-server.ts';

describe('the memory of proofs', () => {
  const bounds = { total: 10, perOwner: 4 };

  test('knows a proof for five minutes at least, and then forgets it', () => {
    const clock = createFakeClock();
    const memory = createProofMemory(clock);
    expect(memory.use('ada', 'p1')).toBe('new');
    for (let elapsed = 0; elapsed < 300_000; elapsed += 29_000) {
      expect(memory.use('ada', 'p1')).toBe('used');
      clock.advance(29_000);
    }
    clock.advance(90_000);
    expect(memory.use('ada', 'p1')).toBe('new');
    expect(memory.size).toBe(1);
  });

  test('refuses rather than forgets when it is full, and has room again later', () => {
    const clock = createFakeClock();
    const memory = createProofMemory(clock, { total: 3, perOwner: 3 });
    for (const id of ['a', 'b', 'c']) expect(memory.use(`${id}-owner`, id)).toBe('new');
    expect(memory.use('d-owner', 'd')).toBe('full');
    expect(memory.use('a-owner', 'a')).toBe('used');
    clock.advance(360_000);
    expect(memory.use('d-owner', 'd')).toBe('new');
  });

  test('lets nobody fill the share of others', () => {
    const memory = createProofMemory(createFakeClock(), bounds);
    const flood = Array.from({ length: 20 }, (_, index) => memory.use('mallory', `m${index}`));
    expect(flood.filter((outcome) => outcome === 'new').length).toBe(4);
    expect(memory.use('ada', 'p1')).toBe('new');
  });

  test('lets the same id of another owner be', () => {
    const memory = createProofMemory(createFakeClock(), bounds);
    expect(memory.use('ada', 'p1')).toBe('new');
    expect(memory.use('bob', 'p1')).toBe('new');
  });

  test('accepts no proof twice within five minutes, in whatever order and at whatever pace they come', () => {
    const step = fc.record({
      owner: fc.constantFrom('ada', 'bob'),
      id: fc.constantFrom('1', '2', '3'),
      afterMs: fc.integer({ min: 0, max: 120_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = createFakeClock();
        const memory = createProofMemory(clock, bounds);
        const accepted = new Map<string, number>();
        for (const { owner, id, afterMs } of steps) {
          clock.advance(afterMs);
          if (memory.use(owner, id) !== 'new') continue;
          const before = accepted.get(owner + id);
          expect(before === undefined || clock.now() - before >= 300_000).toBe(true);
          accepted.set(owner + id, clock.now());
          expect(memory.size).toBeLessThanOrEqual(bounds.total);
        }
      }),
    );
  });
});

describe('a nonce', () => {
  const sealer = createSealer(ringOf(7));

  test('is the same for a minute, and good for five', () => {
    const clock = createFakeClock();
    const nonces = createProofNonces({ sealer, clock });
    const first = nonces.current();
    clock.advance(59_000);
    expect(nonces.current()).toBe(first);
    clock.advance(1_000);
    expect(nonces.current()).not.toBe(first);
    clock.advance(239_000);
    expect(nonces.isFresh(first)).toBe(true);
    clock.advance(1_000);
    expect(nonces.isFresh(first)).toBe(false);
  });

  test('of another process with the same keys is good, if it was made since this one began', () => {
    const clock = createFakeClock();
    const one = createProofNonces({ sealer, clock });
    const before = one.current();
    clock.advance(61_000);
    const two = createProofNonces({ sealer: createSealer(ringOf(7)), clock });
    expect(two.isFresh(one.current())).toBe(true);
    expect(two.isFresh(before)).toBe(false);
  });

  test('cannot be made by anybody else, nor out of anything else that is sealed', () => {
    const clock = createFakeClock();
    const nonces = createProofNonces({ sealer, clock });
    const now = String(clock.now());
    expect(nonces.isFresh(createSealer(ringOf(8)).seal('proof_nonce', [], now))).toBe(false);
    expect(nonces.isFresh(sealer.seal('session', [], now))).toBe(false);
    expect(nonces.isFresh('')).toBe(false);
    expect(nonces.isFresh(now)).toBe(false);
  });

  test('of a time to come, after our clock was set back, is not good for longer', () => {
    const clock = createFakeClock();
    const nonces = createProofNonces({ sealer, clock });
    clock.advance(600_000);
    const ahead = nonces.current();
    clock.advance(-600_000);
    expect(nonces.isFresh(ahead)).toBe(false);
    expect(nonces.isFresh(nonces.current())).toBe(true);
  });
});

test.each(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])('a proof may be signed with %s', async (alg) => {
  const clock = createFakeClock();
  const dpop = createDpop({ sealer: createSealer(ringOf(7)), clock });
  const key = await makeProofKey(alg);
  const who = principal({ tokenKind: 'dpop', boundTo: key.thumbprint });
  const url = 'https://MCP.example.com:443/mcp';
  const proof = await key.prove({ url, token: 't', nonce: dpop.nonce(), iat: clock.seconds() });
  const target = { method: 'POST', url: 'https://mcp.example.com/mcp', token: 't' };
  expect(await dpop.prove(who, proof, target)).toEqual({ ok: true, value: who });
});
