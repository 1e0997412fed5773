import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import { claimPathsOf } from '#auth/claim-paths.ts';
import { mapClaims } from '#auth/map-claims.ts';
import type { ClaimPreset } from '#auth/options.ts';
import { presets } from '#auth/presets/table.ts';
import { contextHeaders } from '#contract/context-headers.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { ok } from '#kernel/result.ts';
import { openRecord, sealRecord } from '#keys/record-seal.ts';
import { createSealer } from '#keys/sealer.ts';
import { createRequestStates } from '#mcp/request-state.ts';
import { createSessions } from '#mcp/session.ts';
import { ringOf, principal as somebody } from '../../audit/support/audit-kit.ts';
import { type Target, textOf } from './target.ts';

const presetNames: readonly ClaimPreset[] = [
  'generic',
  'rfc9068',
  'keycloak',
  'auth0',
  'okta',
  'entra',
  'zitadel',
  'authentik',
  'hydra',
  'cognito',
];
const claim = fc.constantFrom(
  'sub',
  'scope',
  'scp',
  'client_id',
  'azp',
  'cid',
  'appid',
  'uid',
  'oid',
  'tid',
  'email',
  'role',
  'roles',
  'groups',
  'pool',
  'permissions',
  'realm_access',
  'resource_access',
  'username',
  'jti',
  'uti',
  'sid',
  'aud',
  'idtyp',
  'gty',
  '__proto__',
  'urn:zitadel:iam:org:project:roles',
  'cognito:groups',
);
const claimText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('ada', 'a b', 'svc', '', ' ', '\ud800', 'é'),
);
const claimValue = fc.oneof(
  { weight: 4, arbitrary: claimText },
  fc.array(claimText, { maxLength: 3 }),
  fc.record({ roles: fc.array(claimText, { maxLength: 2 }) }),
  fc.dictionary(claimText, fc.jsonValue(), { maxKeys: 2 }),
  fc.jsonValue(),
);

/** Whoever may be told apart by a preset under one issuer: the subject is read off the same payload. */
function principalsOf(
  payload: Readonly<Record<string, unknown>>,
  preset: ClaimPreset,
): Principal | undefined {
  const mapped = mapClaims(
    { payload, issuedAt: 1_000, expiresAt: 2_000 },
    'token',
    {
      issuer: 'https://id.example',
      preset: presets[preset],
      paths: claimPathsOf({ preset }),
      roleScopes: new Map([['admin', ['a', 'z']]]),
      scopesCeiling: new Set(['a', 'b', 'z']),
      maxTokenAgeSeconds: 500,
    },
    { plans: new Map([['pro', ['a']]]), scopeImplies: new Map([['a', ['c']]]) },
  );
  return mapped.ok ? mapped.value : undefined;
}

const claims: Target = {
  name: 'claims',
  promise:
    'make one principal or none: with a subject, under the ceiling, and never one that reads as another’s',
  runs: 1_000,
  inputs: fc.dictionary(claim, claimValue, { maxKeys: 8 }).map((value) => JSON.stringify(value)),
  holds(input) {
    const parsed = parseJson(textOf(input));
    if (!parsed.ok || !isJsonObject(parsed.value)) return;
    const payload = { ...parsed.value };
    for (const preset of presetNames) {
      const principal = principalsOf(payload, preset);
      if (principal === undefined) continue;
      expect(principal.subject).not.toBe('');
      expect(JSON.parse(principal.key)).toEqual(['https://id.example', principal.subject]);
      for (const scope of principal.tokenScopes) expect(['a', 'b', 'z']).toContain(scope);
      for (const scope of principal.scopes) expect(['a', 'b', 'c', 'z']).toContain(scope);
      expect(principal.plan).toBe(principal.scopes.has('a') ? 'pro' : undefined);
      expect(principal.expiresAt).toBeLessThanOrEqual(1_500);
      // Applications know people by this header: what it says must lead back to this subject alone.
      const { 'X-Cortex-User-Id': header = '' } = contextHeaders(principal);
      const read = /^=\?base64\?(.*)\?=$/.exec(header)?.[1];
      expect(read === undefined ? header : Buffer.from(read, 'base64').toString('utf8')).toBe(
        principal.subject,
      );
      expect(() => new Headers({ ...contextHeaders(principal) })).not.toThrow();
    }
  },
};

const sealer = createSealer(ringOf(3));
const clock = { now: () => 1_000, monotonic: () => 1_000 };
const states = createRequestStates({ seal: sealer, clock, lifetimeMs: 1_000 });
const sessions = createSessions({
  seal: sealer,
  tombstones: { add: async () => {}, has: async () => false },
  clock,
  lifetimeMs: 1_000,
});
const binding = {
  principal: somebody(),
  method: 'tools/call',
  target: 'a',
  backend: 'b',
  parameters: { q: 1 },
};
const ownerKey = createSecretKey(Buffer.alloc(32, 7));

/** A sealed text is recognised by being random; everything else is a sealed text that was changed. */
const sealed: Target = {
  name: 'sealed',
  promise: 'opens only as it was sealed, for whom it was sealed, by whatever was done to it',
  runs: 800,
  inputs: fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ABab01-_=.'), maxLength: 120 }),
    fc.constantFrom('session', 'state', 'record').map((what) => {
      if (what === 'state') return states.seal(binding, 'its own');
      if (what === 'record') return sealRecord(ownerKey, ['ada', 'board', 1], 'a grant');
      return sessions.mint(somebody(), '2025-11-25', {}, undefined).id;
    }),
  ),
  async holds(input) {
    const text = textOf(input);
    const session = await sessions.open(text, somebody());
    const state = states.open(binding, text);
    const record = openRecord(ownerKey, ['ada', 'board', 1], text);
    expect([session.ok, state.ok, record !== undefined].filter(Boolean).length).toBeLessThanOrEqual(1);
    if (state.ok) expect(state).toEqual(ok('its own'));
    if (record !== undefined) expect(record).toBe('a grant');
    if (session.ok) expect(session.value).toMatchObject({ id: text, revision: '2025-11-25' });
    const other = somebody('u2');
    expect((await sessions.open(text, other)).ok).toBe(false);
    expect(states.open({ ...binding, principal: other }, text).ok).toBe(false);
    expect(states.open({ ...binding, target: 'b' }, text).ok).toBe(false);
    expect(states.open({ ...binding, parameters: { q: 2 } }, text).ok).toBe(false);
    expect(openRecord(ownerKey, ['bob', 'board', 1], text)).toBeUndefined();
    expect(openRecord(ownerKey, ['ada', 'board', 2], text)).toBeUndefined();
    // One character more, less or other, and nobody opens it.
    const [changed, cut] = [text.replace(/[A-Za-z]/, (one) => (one === 'A' ? 'B' : 'A')), text.slice(0, -1)];
    for (const one of [changed, cut, `${text}A`, `${text}=`, ` ${text}`]) {
      if (one === text) continue;
      expect((await sessions.open(one, somebody())).ok).toBe(false);
      expect(states.open(binding, one).ok).toBe(false);
    }
  },
};

export const identityTargets: readonly Target[] = [claims, sealed];
