import { type Preset, plain, usualPaths } from './preset.ts';

/** Ory Hydra, with JWT access tokens. What the consent page adds lies under `ext`; ID tokens have no `client_id`. */
export const hydra: Preset = {
  ...plain,
  isAccessToken: ({ client_id }) => typeof client_id === 'string',
  paths: {
    ...usualPaths,
    scopes: ['scp', 'scope'],
    client: ['client_id'],
    role: ['ext.role', 'ext.roles'],
    pool: ['ext.pool'],
    email: ['ext.email'],
    session: ['ext.sid'],
  },
};
