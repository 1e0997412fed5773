import { isJsonObject, isStringArray, parseJson, stringAt } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import type { Grant } from './grant.ts';

/** A grant as the text that is sealed. */
export function writeGrant(grant: Grant): string {
  return JSON.stringify({
    ...grant,
    accessToken: grant.accessToken.reveal(),
    refreshToken: grant.refreshToken?.reveal(),
  });
}

/** Undefined where no version of this program wrote that text. */
export function readGrant(text: string): Grant | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const value = parsed.value;
  const accessToken = stringAt(value, 'accessToken');
  const refreshToken = stringAt(value, 'refreshToken');
  const issuer = stringAt(value, 'issuer');
  const clientId = stringAt(value, 'clientId');
  const { scopes, linkedAt, expiresAt } = value;
  if (accessToken === undefined || issuer === undefined || clientId === undefined) return undefined;
  if (!isStringArray(scopes) || typeof linkedAt !== 'number') return undefined;
  return {
    accessToken: new Secret(accessToken),
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
    scopes,
    issuer,
    clientId,
    resource: stringAt(value, 'resource'),
    account: stringAt(value, 'account'),
    linkedAt,
  };
}
