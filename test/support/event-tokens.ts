import type { JsonObject } from '#kernel/json.ts';
import type { TestIssuer, TokenClaims } from './issuer.ts';

const caep = 'https://schemas.openid.net/secevent/caep/event-type/';
const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/';
export const eventTypes = {
  sessionRevoked: `${caep}session-revoked`,
  claimsChange: `${caep}token-claims-change`,
  credentialChange: `${caep}credential-change`,
  assuranceChange: `${caep}assurance-level-change`,
  accountDisabled: `${risc}account-disabled`,
  accountPurged: `${risc}account-purged`,
  credentialCompromise: `${risc}credential-compromise`,
  tokenRevoked: `${oauth}token-revoked`,
  verification: `${ssf}verification`,
  streamUpdated: `${ssf}stream-updated`,
  logout: 'http://schemas.openid.net/event/backchannel-logout',
} as const;

/** Claims that an access token has, and a security event token does not. */
const withoutTokenClaims = { sub: undefined, client_id: undefined, exp: undefined };

/** A security event token of the issuer: one event about one subject. */
export function mintEvent(
  issuer: TestIssuer,
  type: string,
  subject: JsonObject,
  over: {
    readonly event?: JsonObject;
    readonly claims?: TokenClaims;
    readonly header?: { typ?: string; kid?: string };
  } = {},
): Promise<string> {
  const claims = {
    ...withoutTokenClaims,
    sub_id: subject,
    events: { [type]: over.event ?? {} },
    ...over.claims,
  };
  return issuer.mint(claims, { typ: 'secevent+jwt', ...over.header });
}

/** A logout token of the issuer. */
export function mintLogout(
  issuer: TestIssuer,
  claims: TokenClaims,
  header: { typ?: string } = {},
): Promise<string> {
  return issuer.mint(
    { ...withoutTokenClaims, events: { [eventTypes.logout]: {} }, ...claims },
    { typ: 'logout+jwt', ...header },
  );
}
