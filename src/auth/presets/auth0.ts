import { type Preset, plain, usualPaths } from './preset.ts';

/**
 * Auth0. `permissions` holds all that the person may do at the API, whatever was asked for: a ceiling over `scope`, and
 * nothing that this token was given. A client's own token has `<client id>@clients` as its subject.
 */
export const auth0: Preset = {
  ...plain,
  isMachine: ({ sub }, clientId) => sub === `${clientId}@clients`,
  paths: {
    ...usualPaths,
    permissions: ['permissions'],
    client: ['azp', 'client_id'],
    role: ['roles'],
    pool: ['org_id'],
  },
};
