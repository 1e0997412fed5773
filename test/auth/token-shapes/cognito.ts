import type { TokenShape } from './shape.ts';

const url = 'https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example';
const subject = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';

export const cognito: TokenShape = {
  source: [
    'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html',
    'https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html',
  ],
  issuer: {
    url,
    preset: 'cognito',
    clients: ['57cbishk4j24pabc1234567890', '1example23456789'],
    roleScopes: new Map([['admin', ['notes:admin']]]),
  },
  header: {},
  person: {
    claims: {
      sub: subject,
      device_key: subject,
      'cognito:groups': ['admin'],
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin notes/notes:read',
      auth_time: 1_562_190_524,
      iss: url,
      origin_jti: 'bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee',
      jti: 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee',
      client_id: '57cbishk4j24pabc1234567890',
      username: 'janedoe@example.com',
    },
    is: {
      kind: 'user',
      subject,
      clientId: '57cbishk4j24pabc1234567890',
      tokenScopes: ['aws.cognito.signin.user.admin', 'notes/notes:read'],
      scopeKey: 'aws.cognito.signin.user.admin notes/notes:read notes:admin',
      role: 'admin',
      sessionId: 'bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee',
      tokenId: 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee',
    },
  },
  machine: {
    claims: {
      sub: '1example23456789',
      token_use: 'access',
      scope: 'notes/notes:read',
      auth_time: 1_562_190_524,
      iss: url,
      jti: 'dddddddd',
      client_id: '1example23456789',
      version: 2,
    },
    is: {
      kind: 'client',
      subject: '1example23456789',
      clientId: '1example23456789',
      tokenScopes: ['notes/notes:read'],
    },
  },
  idToken: {
    sub: subject,
    aud: '57cbishk4j24pabc1234567890',
    token_use: 'id',
    iss: url,
    'cognito:username': 'janedoe',
    client_id: '57cbishk4j24pabc1234567890',
  },
};
