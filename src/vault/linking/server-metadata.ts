import type { AuthorizationServer } from 'oauth4webapi';
import { isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';

/** What the engine reads of an authorization server's metadata (RFC 8414); the rest is dropped. */
export interface ServerMetadata extends AuthorizationServer {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly client_id_metadata_document_supported: boolean;
}

/** Undefined where it names no issuer, or not both endpoints of the code flow. */
export function parseServerMetadata(document: JsonObject): ServerMetadata | undefined {
  const text = (key: string) => stringAt(document, key);
  const list = (key: string): string[] | undefined => {
    const value = document[key];
    return isStringArray(value) ? [...value] : undefined;
  };
  const issuer = text('issuer');
  const authorization = text('authorization_endpoint');
  const token = text('token_endpoint');
  if (issuer === undefined || authorization === undefined || token === undefined) return undefined;
  return withoutUndefined({
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    registration_endpoint: text('registration_endpoint'),
    revocation_endpoint: text('revocation_endpoint'),
    userinfo_endpoint: text('userinfo_endpoint'),
    scopes_supported: list('scopes_supported'),
    token_endpoint_auth_methods_supported: list('token_endpoint_auth_methods_supported'),
    revocation_endpoint_auth_methods_supported: list('revocation_endpoint_auth_methods_supported'),
    code_challenge_methods_supported: list('code_challenge_methods_supported'),
    id_token_signing_alg_values_supported: list('id_token_signing_alg_values_supported'),
    authorization_response_iss_parameter_supported:
      document.authorization_response_iss_parameter_supported === true,
    client_id_metadata_document_supported: document.client_id_metadata_document_supported === true,
  });
}

/** Where the endpoints are of a server of 2025-03-26 that says nothing about itself (its section "Fallbacks"). */
export function assumedMetadata(origin: string): ServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    authorization_response_iss_parameter_supported: false,
    client_id_metadata_document_supported: false,
  };
}

/** Where an issuer's metadata may lie, in the order of MCP "Authorization Server Metadata Discovery". */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
  ];
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

function withoutUndefined<T extends object>(value: T): T {
  for (const [key, item] of Object.entries(value)) if (item === undefined) Reflect.deleteProperty(value, key);
  return value;
}
