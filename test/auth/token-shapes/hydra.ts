import { api, type TokenShape } from './shape.ts';

const url = 'https://hydra.example.com';

export const hydra: TokenShape = {
  source: [
    'https://www.ory.sh/docs/oauth2-oidc/jwt-access-token',
    'https://www.ory.sh/docs/hydra/reference/configuration',
  ],
  issuer: { url, preset: 'hydra', roleScopes: new Map([['editor', ['notes:write']]]) },
  header: { typ: 'JWT' },
  person: {
    claims: {
      aud: [api],
      client_id: '0fdc0f5e-4f5a-4a5b-8d7b-0a1b2c3d4e5f',
      ext: { role: 'editor', pool: 'staff', email: 'ada@example.com' },
      iss: url,
      jti: '1f5cb9a1-63d9-4d2c-a9e2-8e6e3c2b1a09',
      nbf: 1_790_000_000,
      scp: ['offline_access', 'notes:read'],
      sub: 'ada',
    },
    is: {
      kind: 'user',
      subject: 'ada',
      clientId: '0fdc0f5e-4f5a-4a5b-8d7b-0a1b2c3d4e5f',
      tokenScopes: ['offline_access', 'notes:read'],
      scopeKey: 'notes:read notes:write offline_access',
      role: 'editor',
      pool: 'staff',
      email: 'ada@example.com',
    },
  },
  machine: {
    claims: {
      aud: [api],
      client_id: 'nightly-report',
      ext: {},
      iss: url,
      jti: '2f5cb9a1',
      scp: ['notes:read'],
      sub: 'nightly-report',
    },
    is: {
      kind: 'client',
      subject: 'nightly-report',
      clientId: 'nightly-report',
      tokenScopes: ['notes:read'],
    },
  },
  idToken: { aud: [api], iss: url, sub: 'ada', at_hash: 'x', jti: '3', rat: 1, sid: 's' },
};
