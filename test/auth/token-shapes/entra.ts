import { api, type TokenShape } from './shape.ts';

export const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
export const oid = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const url = `https://login.microsoftonline.com/${tenant}/v2.0`;
const apiId = '6e74172b-be56-4843-9ff4-e66a39bb12e3';

export const entra: TokenShape = {
  source: [
    'https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference',
    'https://learn.microsoft.com/entra/identity-platform/access-tokens',
    'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow',
  ],
  issuer: {
    url,
    preset: 'entra',
    // Tokens of version 2.0 name the API's own client id, those of 1.0 what was asked for.
    audience: [apiId, api],
    roleScopes: new Map([
      ['Notes.Admin', ['notes:admin']],
      ['Notes.Read.All', ['notes:read']],
    ]),
  },
  header: { typ: 'JWT' },
  person: {
    claims: {
      aud: apiId,
      iss: url,
      aio: 'AXQAi/8TAAAA',
      azp: '11111111-2222-3333-4444-555555555555',
      azpacr: '0',
      name: 'Ada',
      oid,
      preferred_username: 'ada@example.com',
      rh: '0.ARwA',
      roles: ['Notes.Admin'],
      scp: 'Notes.Read Notes.Write',
      sid: '00000000-0000-0000-0000-0000000000aa',
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      tid: tenant,
      uti: 'fqiBqXLPj0eQa82S-IYFAA',
      ver: '2.0',
    },
    is: {
      kind: 'user',
      subject: `${tenant}:${oid}`,
      issuer: url,
      clientId: '11111111-2222-3333-4444-555555555555',
      tokenScopes: ['Notes.Read', 'Notes.Write'],
      scopeKey: 'Notes.Read Notes.Write notes:admin',
      pool: tenant,
      tokenId: 'fqiBqXLPj0eQa82S-IYFAA',
      sessionId: '00000000-0000-0000-0000-0000000000aa',
    },
  },
  machine: {
    claims: {
      aud: apiId,
      iss: url,
      azp: '99999999-2222-3333-4444-555555555555',
      azpacr: '1',
      oid: 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee',
      roles: ['Notes.Read.All'],
      sub: 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee',
      tid: tenant,
      uti: 'GrsHvXwzsUCIeWSS-IYFAA',
      ver: '2.0',
    },
    is: {
      kind: 'client',
      subject: `${tenant}:cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee`,
      clientId: '99999999-2222-3333-4444-555555555555',
      tokenScopes: [],
      scopeKey: 'notes:read',
    },
  },
  idToken: { aud: apiId, iss: url, oid, sub: 'AAAA', tid: tenant, name: 'Ada', uti: 'x', ver: '2.0' },
};
