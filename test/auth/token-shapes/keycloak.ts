import { api, type TokenShape } from './shape.ts';

const url = 'https://id.example.com/realms/acme';
const subject = 'b6cc7aa0-1af0-460e-9174-e05c881fb6d4';

export const keycloak: TokenShape = {
  source: [
    'https://www.keycloak.org/docs/latest/server_admin/index.html#_service_accounts',
    'https://www.keycloak.org/docs/latest/server_admin/index.html#_audience',
    'https://www.keycloak.org/docs-api/latest/javadocs/org/keycloak/representations/AccessToken.html',
  ],
  issuer: {
    url,
    preset: 'keycloak',
    roleScopes: new Map([
      ['mcp-admin', ['notes:admin']],
      ['manage-account', ['stolen:scope']],
    ]),
  },
  header: { typ: 'JWT' },
  person: {
    claims: {
      jti: 'onrtac:0f3c1f0e-1b1c-4d6c-a5c6-0c5b2d3c9a01',
      iss: url,
      aud: [api, 'account'],
      sub: subject,
      typ: 'Bearer',
      azp: 'claude',
      sid: '4a3f9d5e-6b0e-4d0a-8d0f-3a4b5c6d7e8f',
      acr: '1',
      'allowed-origins': ['https://claude.ai'],
      realm_access: { roles: ['default-roles-acme', 'offline_access', 'mcp-admin'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'openid email notes:read',
      email_verified: true,
      preferred_username: 'ada',
      email: 'ada@example.com',
    },
    is: {
      kind: 'user',
      subject,
      clientId: 'claude',
      tokenScopes: ['openid', 'email', 'notes:read'],
      scopeKey: 'email notes:admin notes:read openid',
      role: 'mcp-admin',
      email: 'ada@example.com',
      sessionId: '4a3f9d5e-6b0e-4d0a-8d0f-3a4b5c6d7e8f',
    },
  },
  machine: {
    claims: {
      jti: 'trrtcc:000cdca9-a124-4ce3-9284-150e0978f208',
      iss: url,
      aud: api,
      sub: '1d2d88f8-8b68-4b6b-883f-1af68b598612',
      typ: 'Bearer',
      azp: 'Nightly-Report',
      acr: '1',
      realm_access: { roles: ['default-roles-acme'] },
      scope: 'notes:read',
      clientHost: '192.0.2.7',
      clientAddress: '192.0.2.7',
      client_id: 'Nightly-Report',
      email_verified: false,
      preferred_username: 'service-account-nightly-report',
    },
    is: {
      kind: 'client',
      subject: '1d2d88f8-8b68-4b6b-883f-1af68b598612',
      clientId: 'Nightly-Report',
      tokenScopes: ['notes:read'],
    },
  },
  idToken: { iss: url, aud: api, sub: subject, typ: 'ID', azp: 'claude', sid: '4a3f9d5e', at_hash: 'x' },
};
