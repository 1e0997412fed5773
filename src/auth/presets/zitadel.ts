import { type Preset, plain, usualPaths } from './preset.ts';

/**
 * ZITADEL. Roles are the keys of an object, each with the organizations that gave it. Its tokens list no scopes of an
 * application: a map from roles does. ID tokens name the same audience; they tell how the person signed in.
 */
export const zitadel: Preset = {
  ...plain,
  mayKeyRoles: true,
  isAccessToken: (payload) =>
    typeof payload.jti === 'string' && onlyInIdTokens.every((claim) => payload[claim] === undefined),
  paths: {
    ...usualPaths,
    client: ['azp', 'client_id'],
    role: ['urn:zitadel:iam:org:project:roles'],
    pool: ['urn:zitadel:iam:user:resourceowner:id'],
  },
};

const onlyInIdTokens = ['auth_time', 'amr', 'nonce', 'at_hash', 'c_hash'] as const;
