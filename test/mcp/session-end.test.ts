import { expect, test } from 'vitest';
import { systemClock } from '#kernel/clock.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSealer } from '#keys/sealer.ts';
import { createSessions } from '#mcp/session.ts';

const ada: Principal = {
  kind: 'user',
  issuer: 'https://issuer.example',
  subject: 'ada',
  key: '["https://issuer.example","ada"]',
  clientId: 'agent',
  tokenScopes: [],
  scopes: new Set(),
  scopeKey: '',
  plan: undefined,
  email: undefined,
  role: undefined,
  pool: undefined,
  tokenId: undefined,
  sessionId: undefined,
  grantId: undefined,
  audience: [],
  issuedAt: 0,
  expiresAt: 0,
  token: new Secret('t'),
  tokenKind: 'jwt',
};

test('a session that is ended while another request of it is looked up stays ended', async () => {
  const ring = parseKeyRing(Buffer.alloc(32, 7).toString('hex'));
  if (!ring.ok) throw new Error(ring.error);
  const buried = new Set<string>();
  const lookups: (() => void)[] = [];
  const sessions = createSessions({
    seal: createSealer(ring.value),
    tombstones: {
      add: async (id) => void buried.add(id),
      async has(id) {
        const isBuried = buried.has(id);
        await new Promise<void>((resolve) => lookups.push(resolve));
        return isBuried;
      },
    },
    clock: systemClock,
    lifetimeMs: 60_000,
  });
  const session = sessions.mint(ada, '2025-11-25', {}, undefined);
  const early = sessions.open(session.id, ada);
  await sessions.end(session, ada);
  for (const answer of lookups.splice(0)) answer();
  expect(await early).toMatchObject({ ok: true });

  const late = sessions.open(session.id, ada);
  expect(late).toBeInstanceOf(Promise);
  for (const answer of lookups.splice(0)) answer();
  expect(await late).toEqual({ ok: false, error: { reason: 'session_gone' } });
});
