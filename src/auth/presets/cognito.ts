import { type Preset, plain, usualPaths } from './preset.ts';

/** Amazon Cognito. Access tokens have `aud` only where a resource was asked for: without it, the client must be a configured one. */
export const cognito: Preset = {
  ...plain,
  mayLackAudience: true,
  isAccessToken: ({ token_use }) => token_use === 'access',
  paths: {
    ...usualPaths,
    client: ['client_id'],
    role: ['cognito:groups'],
    session: ['origin_jti'],
  },
};
