import { jsonAnswer } from './answers.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import { supportedGrantTypes } from './token-endpoint.ts';

const clientAuthentication = ['none', 'client_secret_basic', 'client_secret_post'] as const;
const withSecret = ['client_secret_basic', 'client_secret_post'] as const;

/**
 * Server metadata (RFC 8414). The same document answers at OpenID's address, for clients that look only there; the
 * two `id_token` and `subject` keys exist for their parsers, as no ID token is ever issued.
 */
export function createMetadataEndpoints(parts: Parts): {
  readonly metadata: Endpoint;
  readonly keys: Endpoint;
} {
  const { issuer, scopes, key, readsDocuments } = parts;
  const document = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: scopes.known,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: supportedGrantTypes,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: clientAuthentication,
    revocation_endpoint_auth_methods_supported: clientAuthentication,
    introspection_endpoint_auth_methods_supported: withSecret,
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: readsDocuments,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
  const caching = { 'cache-control': 'public, max-age=60' };
  return {
    metadata: () => jsonAnswer(document, 200, caching),
    keys: () => jsonAnswer({ keys: [key.publicJwk] }, 200, caching),
  };
}
