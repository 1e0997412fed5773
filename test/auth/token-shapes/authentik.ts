import { api, type TokenShape } from './shape.ts';

const url = 'https://auth.example.com/application/o/mcp/';
const subject = 'f1b0d4d0a1f4d0a9e6c3b2a1908070605040302010f0e0d0c0b0a09080706050';

export const authentik: TokenShape = {
  source: [
    'https://docs.goauthentik.io/add-secure-apps/providers/oauth2/',
    'https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py',
  ],
  issuer: {
    url,
    preset: 'authentik',
    audience: ['mcp-client', api],
    roleScopes: new Map([['notes editors', ['notes:write']]]),
  },
  header: { typ: 'JWT' },
  person: {
    claims: {
      iss: url,
      sub: subject,
      aud: 'mcp-client',
      auth_time: 1_790_000_000,
      acr: 'goauthentik.io/providers/oauth2/default',
      amr: ['pwd'],
      sid: '0b9a',
      email: 'ada@example.com',
      groups: ['notes editors', 'everybody'],
      scope: 'openid notes:read',
      azp: 'mcp-client',
      uid: 'kq0c1l1zZ6O3',
    },
    is: {
      kind: 'user',
      subject,
      clientId: 'mcp-client',
      tokenScopes: ['openid', 'notes:read'],
      scopeKey: 'notes:read notes:write openid',
      role: 'notes editors',
      tokenId: 'kq0c1l1zZ6O3',
      sessionId: '0b9a',
    },
  },
  machine: {
    claims: {
      iss: url,
      sub: 'machine-uid',
      aud: 'mcp-client',
      azp: 'mcp-client',
      uid: 'k2',
      scope: 'notes:read',
    },
    // authentik makes an account for the client, and its token looks like anybody's.
    is: { kind: 'user', subject: 'machine-uid', tokenScopes: ['notes:read'] },
  },
  idToken: {
    iss: url,
    sub: subject,
    aud: 'mcp-client',
    nonce: 'n',
    at_hash: 'x',
    sid: '0b9a',
    email: 'a@example.com',
  },
};
