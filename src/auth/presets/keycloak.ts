import { type Preset, plain, usualPaths } from './preset.ts';

/**
 * Keycloak. ID tokens are signed with the same key and have the same header: the claim `typ` tells them apart. Roles are
 * the realm's; those of a client count only where `claims.role` names it: `admin` of another client is not our admin.
 */
export const keycloak: Preset = {
  ...plain,
  isAccessToken: ({ typ }) => typ === 'Bearer' || typ === 'DPoP',
  isMachine: (payload, clientId) =>
    payload.preferred_username === `service-account-${clientId.toLowerCase()}` &&
    (payload.client_id === clientId || payload.clientId === clientId),
  paths: {
    ...usualPaths,
    client: ['azp', 'client_id'],
    role: ['realm_access.roles'],
    session: ['sid', 'session_state'],
  },
};
