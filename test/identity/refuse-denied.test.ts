import { expect, test } from 'vitest';
import type { IdentityResolver, ResolvedIdentity } from '#backends/backend.ts';
import { refuseDenied } from '#identity/refuse-denied.ts';
import type { Principal } from '#kernel/principal.ts';
import { ok } from '#kernel/result.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';

const target = { backend: backendId('linear'), mode: 'linked', url: 'https://mcp.example' } as const;
const given: ResolvedIdentity = { mode: 'linked', headers: { Authorization: 'Bearer theirs' } };
const refusal = { ok: false, error: { reason: 'identity_unavailable' } };

/** A user's account whose token is being refreshed until `refreshed`. */
function refreshing() {
  const refreshed = Promise.withResolvers<void>();
  const denied = new Set<string>();
  let asked = 0;
  const fresh = async () => {
    asked += 1;
    await refreshed.promise;
    return ok(given);
  };
  const inner: IdentityResolver = { resolve: fresh, rejected: fresh, insufficient: () => true };
  const resolver = refuseDenied(inner, {
    denies: ({ subject }) => (denied.has(subject) ? 'subject' : undefined),
  });
  return { resolver, denied, finish: refreshed.resolve, asked: () => asked };
}

const ada = principal({ subject: 'ada' });
const bob = principal({ subject: 'bob' });
const ways: readonly (readonly [string, (of: IdentityResolver, who: Principal) => unknown])[] = [
  ['a first token', (of, who) => of.resolve(who, target)],
  ['another one after a 401', (of, who) => of.rejected?.(who, target, given)],
];

test.each(ways)('%s is not even asked for once its user is denied', async (_way, ask) => {
  const world = refreshing();
  world.denied.add('ada');
  world.finish();
  expect(await ask(world.resolver, ada)).toMatchObject(refusal);
  expect(world.asked()).toBe(0);
  expect(await ask(world.resolver, bob)).toEqual(ok(given));
});

test.each(ways)('%s that a refresh brings after the denial is given to nobody', async (_way, ask) => {
  const world = refreshing();
  const answers = [ask(world.resolver, ada), ask(world.resolver, bob)];
  world.denied.add('ada');
  world.finish();
  expect(await Promise.all(answers)).toMatchObject([refusal, ok(given)]);
});

test('what needs no waiting is given without a promise', () => {
  const direct: IdentityResolver = { resolve: () => ok(given) };
  expect(refuseDenied(direct, { denies: () => undefined }).resolve(ada, target)).toEqual(ok(given));
});
