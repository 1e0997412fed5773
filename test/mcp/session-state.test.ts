import { describe, expect, test } from 'vitest';
import type { LegacySession } from '#mcp/session.ts';
import { createSessionStates, type StoredState } from '#mcp/session-state.ts';

const session = (id: string): LegacySession => ({
  id,
  revision: '2025-11-25',
  capabilities: {},
  agent: undefined,
  expiresAt: 10,
});

function withStore() {
  const stored = new Map<string, StoredState>();
  const loads: string[] = [];
  const states = createSessionStates({
    maxSubscriptions: 10,
    maxStates: 3,
    store: {
      async load(id) {
        loads.push(id);
        await Bun.sleep(1);
        return stored.get(id);
      },
      async save(id, state) {
        stored.set(id, state);
      },
      async remove(id) {
        stored.delete(id);
      },
    },
  });
  return { states, stored, loads };
}

describe('the states of sessions', () => {
  test('are loaded once, and are the same for everyone who waited', async () => {
    const { states, stored, loads } = withStore();
    stored.set('a', { logLevel: 'error', subscriptions: ['x://1'] });
    await Promise.all([states.ready(session('a')), states.ready(session('a'))]);
    expect(states.ready(session('a'))).toBeUndefined();
    expect(states.of(session('a'))).toMatchObject({ logLevel: 'error', subscriptions: new Set(['x://1']) });
    expect(loads.length).toBeLessThanOrEqual(2);
    expect(states.of(session('a'))).toBe(states.of(session('a')));
  });

  test('an unknown level in the store is the default', async () => {
    const { states, stored } = withStore();
    stored.set('a', { logLevel: 'loud', subscriptions: [] });
    await states.ready(session('a'));
    expect(states.of(session('a')).logLevel).toBe('info');
  });

  test('beyond the bound the oldest goes, and comes back from the store', async () => {
    const { states } = withStore();
    await states.ready(session('a'));
    await states.subscribe(session('a'), 'x://1');
    for (const id of ['b', 'c', 'd']) await states.ready(session(id));
    expect(states.ready(session('a'))).toBeInstanceOf(Promise);
    await states.ready(session('a'));
    expect([...states.of(session('a')).subscriptions]).toEqual(['x://1']);
  });

  test('one that is held, as by an open stream, stays until it is let go', async () => {
    const { states } = withStore();
    await states.ready(session('a'));
    await states.subscribe(session('a'), 'x://1');
    const letGo = states.hold(session('a'));
    for (const id of ['b', 'c', 'd', 'e', 'f']) await states.ready(session(id));
    expect(states.ready(session('a'))).toBeUndefined();
    expect([...states.of(session('a')).subscriptions]).toEqual(['x://1']);
    letGo();
    letGo();
    for (const id of ['g', 'h', 'i']) await states.ready(session(id));
    expect(states.ready(session('a'))).toBeInstanceOf(Promise);
  });

  test('one with a call or a question under way stays', async () => {
    const { states } = withStore();
    await states.ready(session('a'));
    await states.ready(session('b'));
    const state = states.of(session('a'));
    state.inFlight.set(1, new AbortController());
    states.of(session('b')).questions.set('q', () => {});
    for (const id of ['c', 'd', 'e']) await states.ready(session(id));
    for (const id of ['a', 'b']) expect(states.ready(session(id))).toBeUndefined();
  });

  test('ending one aborts its calls and removes what was stored', async () => {
    const { states, stored } = withStore();
    await states.subscribe(session('a'), 'x://1');
    const abort = new AbortController();
    states.of(session('a')).inFlight.set(1, abort);
    await states.forget(session('a'));
    expect([abort.signal.reason, stored.size]).toEqual(['session ended', 0]);
  });
});
