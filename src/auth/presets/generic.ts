import { type Preset, plain, usualPaths } from './preset.ts';

/** The places that issuers usually choose. */
export const generic: Preset = {
  ...plain,
  hasSubjectAlways: false,
  paths: {
    ...usualPaths,
    scopes: ['scope', 'scp'],
    client: ['client_id', 'azp', 'cid', 'appid'],
    role: ['role', 'roles'],
    tokenId: ['jti', 'uti'],
  },
};
