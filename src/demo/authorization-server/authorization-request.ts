import { err, ok, type Result } from '#kernel/result.ts';
import type { Client } from './clients.ts';
import type { Parts } from './endpoint.ts';
import { parseParameters } from './parameters.ts';
import { isLoopbackUri, matchesRegistered } from './redirect-uri.ts';
import { findResource } from './resource.ts';

/** A checked authorization request: everything the consent page shows and the grant records. */
export interface AuthorizationRequest {
  readonly client: Client;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly challenge: string;
  readonly resource: string;
  readonly scopes: readonly string[];
}

/** `page`: nobody to send the browser back to. `client`: the client is told, by redirect. */
export type AuthorizationRefusal =
  | { readonly kind: 'page'; readonly message: string }
  | {
      readonly kind: 'client';
      readonly error: 'invalid_request' | 'unsupported_response_type' | 'invalid_scope' | 'invalid_target';
      readonly description: string;
      readonly redirectUri: string;
      readonly state: string | undefined;
      /** Whether the browser may go there without being asked (RFC 9700 section 4.11.2). */
      readonly mayRedirect: boolean;
    };

/** Checks an authorization request (OAuth 2.1 section 4.1.1), the client and its redirect URI first. */
export async function parseAuthorizationRequest(
  query: string,
  address: string,
  { clients, resources, scopes }: Pick<Parts, 'clients' | 'resources' | 'scopes'>,
): Promise<Result<AuthorizationRequest, AuthorizationRefusal>> {
  const page = (message: string) => err({ kind: 'page' as const, message });
  const all = new URLSearchParams(query);
  const [clientId, redirectUri] = [all.getAll('client_id'), all.getAll('redirect_uri')].map((values) =>
    values.length === 1 ? values[0] : undefined,
  );
  const client = clientId === undefined ? undefined : await clients.find(clientId, address);
  if (client === undefined) return page('The application that sent you here is not registered with us.');
  if (redirectUri === undefined || !matchesRegistered(redirectUri, client.redirectUris))
    return page('The application asked to send you to an address that it has not registered.');

  const states = all.getAll('state');
  const state = states.length === 1 ? states[0] : undefined;
  const mayRedirect = client.isTrusted || isLoopbackUri(redirectUri);
  const refuse = (error: Extract<AuthorizationRefusal, { kind: 'client' }>['error'], description: string) =>
    err({ kind: 'client' as const, error, description, redirectUri, state, mayRedirect });

  const parsed = parseParameters(query);
  if (!parsed.ok) {
    const error = parsed.error.name === 'resource' ? 'invalid_target' : 'invalid_request';
    return refuse(error, `The parameter ${parsed.error.name ?? ''} came more than once.`);
  }
  const parameters = parsed.value;
  if (parameters.get('response_type') !== 'code')
    return refuse('unsupported_response_type', 'response_type must be code.');
  if (parameters.get('code_challenge_method') !== 'S256')
    return refuse('invalid_request', 'code_challenge_method must be S256.');
  const challenge = parameters.get('code_challenge');
  if (challenge === undefined || !/^[A-Za-z0-9_-]{43}$/.test(challenge))
    return refuse('invalid_request', 'code_challenge must be the SHA-256 of a verifier.');
  const resource = findResource(parameters.get('resource'), resources);
  if (resource === undefined)
    return refuse('invalid_target', 'This server issues no tokens for that resource.');
  const requested = scopes.requested(parameters.get('scope'));
  if (!requested.ok) return refuse('invalid_scope', 'None of these scopes exists here.');

  return ok({ client, redirectUri, state, challenge, resource, scopes: requested.value });
}
