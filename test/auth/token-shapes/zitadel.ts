import { api, type TokenShape } from './shape.ts';

const url = 'https://acme-x7k2.zitadel.cloud';
const project = '69234237810729019';

export const zitadel: TokenShape = {
  source: [
    'https://zitadel.com/docs/apis/openidoauth/claims',
    'https://zitadel.com/docs/guides/integrate/retrieve-user-roles',
  ],
  issuer: {
    url,
    preset: 'zitadel',
    audience: [project, api],
    roleScopes: new Map([
      ['editor', ['notes:read', 'notes:write']],
      ['auditor', ['notes:audit']],
    ]),
  },
  header: { typ: 'JWT' },
  person: {
    claims: {
      iss: url,
      aud: ['69234237810729234@acme', project],
      azp: '69234237810729234@acme',
      sub: '77776025198584418',
      jti: '69234237813329048',
      nbf: 1_311_280_970,
      'urn:zitadel:iam:org:project:roles': {
        editor: { '178204173316174381': 'acme.zitadel.cloud', '209358103284843523': 'partner.ch' },
        auditor: {},
      },
      'urn:zitadel:iam:user:resourceowner:id': '178204173316174381',
    },
    is: {
      kind: 'user',
      subject: '77776025198584418',
      clientId: '69234237810729234@acme',
      tokenScopes: [],
      scopeKey: 'notes:read notes:write',
      role: 'editor',
      pool: '178204173316174381',
    },
  },
  machine: {
    claims: {
      iss: url,
      aud: [project],
      azp: 'nightly-report',
      sub: '88876025198584418',
      jti: '69234237813329049',
      'urn:zitadel:iam:org:project:roles': { editor: { '178204173316174381': 'acme.zitadel.cloud' } },
    },
    // A service user is a user: nothing in the token says that no person stands behind it.
    is: { kind: 'user', subject: '88876025198584418', scopeKey: 'notes:read notes:write' },
  },
  idToken: {
    iss: url,
    aud: [project],
    azp: '69234237810729234@acme',
    sub: '77776025198584418',
    jti: '1',
    auth_time: 1_311_280_970,
    amr: ['pwd'],
  },
};
