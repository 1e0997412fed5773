import { type Clock, systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { Secret } from '#kernel/secret.ts';
import { type KeyRing, parseKeyRing } from '#keys/key-ring.ts';
import { createSealer } from '#keys/sealer.ts';
import type { Store } from '#store/store.ts';
import type { Grant, GrantOwner } from '#vault/grant.ts';
import { createGrants } from '#vault/grants.ts';
import { openOwnerKeys } from '#vault/owner-keys.ts';

/** A ring whose keys are made of one byte each, newest first. */
export function ringOf(...fills: number[]): KeyRing {
  const ring = parseKeyRing(fills.map((fill) => Buffer.alloc(32, fill).toString('hex')).join(','));
  if (!ring.ok) throw new Error(ring.error);
  return ring.value;
}

export function ownerOf(subject: string): GrantOwner {
  const issuer = 'https://auth.example.com';
  return { issuer, subject, key: principalKey(issuer, subject) };
}

export function grantOf(changes: { readonly [Member in keyof Grant]?: Grant[Member] } = {}): Grant {
  return {
    accessToken: new Secret('access-1'),
    expiresAt: 1_760_000_000_000,
    refreshToken: new Secret('refresh-1'),
    scopes: ['read'],
    issuer: 'https://linear.example',
    clientId: 'gateway',
    resource: 'https://mcp.linear.example/mcp',
    account: 'ada@linear.example',
    linkedAt: 1_750_000_000_000,
    ...changes,
  };
}

/** The vault over a store, as the gateway makes it. */
export async function openTestVault(
  store: Store,
  given: { readonly ring?: KeyRing; readonly clock?: Clock; readonly log?: Log } = {},
) {
  const { ring = ringOf(1), clock = systemClock, log = silentLog } = given;
  const sealer = createSealer(ring);
  const owners = await openOwnerKeys({ store, sealer, clock });
  if (!owners.ok) throw new Error(owners.error);
  const grants = createGrants({ store, owners: owners.value, clock, schedule: systemSchedule, log });
  return { sealer, owners: owners.value, grants };
}
