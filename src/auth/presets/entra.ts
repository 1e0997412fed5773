import { type Preset, plain, usualPaths } from './preset.ts';

/**
 * Microsoft Entra ID. `sub` differs from application to application: the person is `oid` in the tenant `tid`. Which of
 * its two issuers a token names is up to the API's registration, so both spellings of one tenant are one issuer.
 */
export const entra: Preset = {
  ...plain,
  isAccessToken: ({ azp, appid }) => typeof azp === 'string' || typeof appid === 'string',
  isMachine: ({ idtyp, scp }) => idtyp === 'app' || scp === undefined,
  spellings: (issuer) => [...new Set([issuer, ...bothOf(issuer)])],
  paths: {
    ...usualPaths,
    scopes: ['scp'],
    client: ['azp', 'appid'],
    role: ['roles'],
    pool: ['tid'],
    subject: ['tid+oid'],
    tokenId: ['uti'],
  },
};

/** Of the worldwide cloud alone: national clouds have other hosts, and are accepted as they are written. */
function bothOf(issuer: string): readonly string[] {
  const tenant =
    /^https:\/\/login\.microsoftonline\.com\/([0-9a-f-]{36})\/v2\.0$/.exec(issuer)?.[1] ??
    /^https:\/\/sts\.windows\.net\/([0-9a-f-]{36})\/$/.exec(issuer)?.[1];
  return tenant === undefined
    ? []
    : [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`];
}
