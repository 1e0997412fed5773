import { api, type TokenShape } from './shape.ts';

const url = 'https://acme.eu.auth0.com/';
const machineId = 'OOZH6s5sgOORoVKBMNRu0xRd4I3dl5T7';

export const auth0: TokenShape = {
  source: [
    'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
    'https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis',
    'https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow',
  ],
  issuer: { url, preset: 'auth0' },
  header: { typ: 'JWT' },
  person: {
    claims: {
      iss: url,
      sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
      aud: [api, 'https://acme.eu.auth0.com/userinfo'],
      azp: 'my_client_id',
      scope: 'openid notes:read notes:write',
      org_id: 'org_9ybsU1dN2dKfDkBi',
      permissions: ['notes:read', 'notes:admin'],
    },
    is: {
      kind: 'user',
      subject: 'auth0|5f7c8ec7c33c6c004bbafe82',
      clientId: 'my_client_id',
      tokenScopes: ['notes:read'],
      scopeKey: 'notes:read',
      pool: 'org_9ybsU1dN2dKfDkBi',
      tokenId: undefined,
    },
  },
  machine: {
    claims: {
      iss: url,
      sub: `${machineId}@clients`,
      aud: api,
      azp: machineId,
      scope: 'notes:read',
      gty: 'client-credentials',
    },
    is: { kind: 'client', subject: `${machineId}@clients`, clientId: machineId, tokenScopes: ['notes:read'] },
  },
  // The audience is the client id there: an API is never named like one.
  idToken: undefined,
};
