import { type ClientAuth, ClientSecretPost, None } from 'oauth4webapi';
import type { Secret } from '#kernel/secret.ts';

const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
export type AuthMethod = (typeof methods)[number];

/** The gateway as one authorization server knows it. */
export interface LinkClient {
  readonly id: string;
  readonly secret: Secret | undefined;
  readonly method: AuthMethod;
  readonly source: 'configured' | 'document' | 'registered';
}

export function isAuthMethod(value: string | undefined): value is AuthMethod {
  return methods.some((method) => method === value);
}

/**
 * The best way that both sides know; undefined where there is none. A server that names no methods knows
 * `client_secret_basic` (RFC 8414 section 2), and public clients, as it must for DCR and metadata documents to be of use.
 */
export function chooseAuthMethod(
  supported: readonly string[] | undefined,
  hasSecret: boolean,
): AuthMethod | undefined {
  if (!hasSecret) return supported === undefined || supported.includes('none') ? 'none' : undefined;
  if (supported === undefined) return 'client_secret_basic';
  return methods.find((method) => method !== 'none' && supported.includes(method));
}

export function authenticate({ id, secret, method }: LinkClient): ClientAuth {
  if (secret === undefined || method === 'none') return None();
  return method === 'client_secret_post' ? ClientSecretPost(secret.reveal()) : basic(id, secret);
}

/** The library's own also encodes `-`, `_` and `.`, which several providers never decode. */
function basic(id: string, secret: Secret): ClientAuth {
  return (_server, _client, _body, headers) => {
    const credentials = `${encodeURIComponent(id)}:${encodeURIComponent(secret.reveal())}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}
