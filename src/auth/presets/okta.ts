import { type Preset, plain, usualPaths } from './preset.ts';

/** Okta. `sub` is the login, which can be renamed and given to somebody else: the person is `uid`. A client's own token has none. */
export const okta: Preset = {
  ...plain,
  isAccessToken: ({ cid }) => typeof cid === 'string',
  paths: {
    ...usualPaths,
    scopes: ['scp'],
    client: ['cid'],
    role: ['roles', 'groups'],
    subject: ['uid'],
  },
};
