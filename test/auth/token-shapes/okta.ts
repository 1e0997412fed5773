import { api, type TokenShape } from './shape.ts';

const url = 'https://acme.okta.com/oauth2/aus9o8wvkhockw9TL0h7';

export const okta: TokenShape = {
  source: [
    'https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/',
    'https://developer.okta.com/docs/reference/api/oidc/#access-token',
    'https://developer.okta.com/docs/guides/implement-grant-type/clientcreds/main/',
  ],
  issuer: { url, preset: 'okta', roleScopes: new Map([['Support', ['notes:write']]]) },
  header: {},
  person: {
    claims: {
      ver: 1,
      jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
      iss: url,
      aud: api,
      sub: 'ada@example.com',
      cid: '0oabzljih3rnr6aGt0h7',
      uid: '00uid4BxXw6I6TV4m0g3',
      scp: ['openid', 'notes:read'],
      groups: ['Everyone', 'Support'],
      auth_time: 1_311_280_970,
    },
    is: {
      kind: 'user',
      subject: '00uid4BxXw6I6TV4m0g3',
      clientId: '0oabzljih3rnr6aGt0h7',
      tokenScopes: ['openid', 'notes:read'],
      scopeKey: 'notes:read notes:write openid',
      role: 'Support',
      tokenId: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    },
  },
  machine: {
    claims: {
      ver: 1,
      jti: 'AT.yz9Xf0',
      iss: url,
      aud: api,
      sub: '0oamachine3rnr6aGt0h8',
      cid: '0oamachine3rnr6aGt0h8',
      scp: ['notes:read'],
    },
    is: {
      kind: 'client',
      subject: '0oamachine3rnr6aGt0h8',
      clientId: '0oamachine3rnr6aGt0h8',
      tokenScopes: ['notes:read'],
    },
  },
  idToken: {
    ver: 1,
    iss: url,
    aud: api,
    sub: '00uid4BxXw6I6TV4m0g3',
    jti: 'ID.x',
    amr: ['pwd'],
    at_hash: 'x',
  },
};
