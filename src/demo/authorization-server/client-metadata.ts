import { isJsonObject, isStringArray, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { isAcceptableRedirectUri, isNativeUri } from './redirect-uri.ts';

/** What a client says of itself, at registration or in its own document. */
export interface ClientMetadata {
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post';
  readonly grantTypes: readonly string[];
  readonly applicationType: 'native' | 'web' | undefined;
}
export interface MetadataRefusal {
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
}

const supportedGrants = ['authorization_code', 'refresh_token'];

/**
 * Parses client metadata (RFC 7591 section 2). Grant types beyond ours are dropped, absent ones mean both of ours;
 * unknown keys are ignored.
 */
export function parseClientMetadata(value: unknown): Result<ClientMetadata, MetadataRefusal> {
  if (!isJsonObject(value)) return refuse('invalid_client_metadata', 'The metadata must be a JSON object.');
  const redirectUris = value.redirect_uris;
  if (!isStringArray(redirectUris) || redirectUris.length === 0 || redirectUris.length > 10)
    return refuse('invalid_redirect_uri', 'redirect_uris must list 1 to 10 URIs.');
  if (!redirectUris.every(isAcceptableRedirectUri))
    return refuse(
      'invalid_redirect_uri',
      "Redirect URIs must be https, http to a loopback address, or of the application's own scheme, without a fragment.",
    );

  const applicationType = stringAt(value, 'application_type');
  if (applicationType !== undefined && applicationType !== 'native' && applicationType !== 'web')
    return refuse('invalid_client_metadata', 'application_type is native or web.');
  if (applicationType === 'web' && redirectUris.some(isNativeUri))
    return refuse(
      'invalid_redirect_uri',
      'A web application has https redirect URIs; loopback and own schemes are for native ones.',
    );

  const authMethod = stringAt(value, 'token_endpoint_auth_method') ?? 'client_secret_basic';
  if (authMethod !== 'none' && authMethod !== 'client_secret_basic' && authMethod !== 'client_secret_post')
    return refuse('invalid_client_metadata', 'This token_endpoint_auth_method is not supported.');

  const askedGrants = value.grant_types ?? supportedGrants;
  const responseTypes = value.response_types ?? ['code'];
  if (!isStringArray(askedGrants) || !askedGrants.includes('authorization_code'))
    return refuse('invalid_client_metadata', 'grant_types must hold authorization_code.');
  if (!isStringArray(responseTypes) || !responseTypes.includes('code'))
    return refuse('invalid_client_metadata', 'response_types must hold code.');

  return ok({
    name: displayName(stringAt(value, 'client_name')),
    redirectUris,
    authMethod,
    grantTypes: supportedGrants.filter((grant) => askedGrants.includes(grant)),
    applicationType,
  });
}

/** Invisible and direction-changing characters could make one client look like another on the consent page. */
function displayName(name: string | undefined): string {
  const clean = (name ?? '')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 80);
  return clean === '' ? 'An unnamed application' : clean;
}

function refuse(error: MetadataRefusal['error'], description: string): Result<never, MetadataRefusal> {
  return err({ error, description });
}
