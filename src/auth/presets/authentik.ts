import { type Preset, plain, usualPaths } from './preset.ts';

/** authentik. An access token is the ID token with `azp` and `uid` added, for the same audience: the client. */
export const authentik: Preset = {
  ...plain,
  isAccessToken: ({ azp }) => typeof azp === 'string',
  paths: {
    ...usualPaths,
    client: ['azp'],
    role: ['roles', 'groups'],
    tokenId: ['jti', 'uid'],
  },
};
