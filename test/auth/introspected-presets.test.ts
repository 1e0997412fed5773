import { describe, expect, test } from 'vitest';
import { createAdmission } from '#auth/admission.ts';
import type { IssuerOptions } from '#auth/options.ts';
import { silentLog } from '#kernel/log.ts';
import { err } from '#kernel/result.ts';
import { canonicalUrl, createFakeClock } from './resource-server.ts';

/** What becomes of an issuer's answer about an opaque token (RFC 7662 section 2.2). */
function admit(issuer: IssuerOptions, answer: Readonly<Record<string, string | number | readonly string[]>>) {
  const clock = createFakeClock();
  const admission = createAdmission({
    options: {
      canonicalUrl,
      issuers: [issuer],
      baselineScopes: [],
      challengeScopes: [],
      plans: new Map(),
      scopeImplies: new Map(),
      requiredPool: undefined,
    },
    fetchJson: async () => err('nothing is fetched here'),
    clock,
    log: silentLog,
    onKeysChanged: () => {},
  });
  const usual = {
    active: true,
    token_type: 'Bearer',
    aud: canonicalUrl,
    iat: clock.seconds(),
    exp: clock.seconds() + 60,
  };
  const admitted = admission.admitOpaque(issuer.url, { ...usual, ...answer }, 'opaque');
  admission.close();
  return admitted;
}

describe('an opaque token, by what its issuer says of it', () => {
  test.each(['okta', 'authentik', 'hydra', 'keycloak', 'zitadel', 'cognito', 'auth0', 'generic'] as const)(
    'is read by the names of the standard under the preset %s too',
    (preset) => {
      const person = { sub: 'ada', uid: 'ada', client_id: 'web', scope: 'a b' };
      expect(admit({ url: 'https://id.example', preset }, person)).toMatchObject({
        ok: true,
        value: {
          kind: 'user',
          subject: 'ada',
          clientId: 'web',
          tokenScopes: ['a', 'b'],
          tokenKind: 'opaque',
        },
      });
    },
  );

  test('is held to the same audience, clients and ceilings as a signed one', () => {
    const url = 'https://id.example';
    const said = { sub: 'ada', uid: 'ada', client_id: 'web', scope: 'a b' };
    const reason = (issuer: Partial<IssuerOptions>, more = {}) => {
      const admitted = admit({ url, ...issuer }, { ...said, ...more });
      return admitted.ok ? admitted.value.scopeKey : admitted.error.reason;
    };
    expect(reason({ preset: 'okta' }, { aud: 'https://elsewhere.example' })).toBe('audience_refused');
    expect(reason({ preset: 'okta', clients: ['other'] })).toBe('client_refused');
    expect(reason({ preset: 'auth0' }, { permissions: ['b'] })).toBe('b');
    expect(reason({ preset: 'okta', claims: { scopes: ['granted'] } }, { granted: ['c'] })).toBe('c');
  });
});
