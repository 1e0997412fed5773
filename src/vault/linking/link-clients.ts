import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import {
  addLinkClient,
  deleteLinkClient,
  findLinkClient,
  type LinkClientKey,
} from '#store/link-client-rows.ts';
import type { Store } from '#store/store.ts';
import { chooseAuthMethod, type LinkClient } from './client-authentication.ts';
import type { Reach } from './discovery.ts';
import { type LinkFailure, linkFailure } from './link-failure.ts';
import type { LinkedServer } from './linked-server.ts';
import { readRegistration, register, writeRegistration } from './registration.ts';
import type { ServerMetadata } from './server-metadata.ts';

export interface LinkClients {
  /** The client to link with: configured, else the metadata document, else registered, once, for everybody. */
  obtain(
    id: string,
    server: LinkedServer,
    metadata: ServerMetadata,
    reach: Reach,
  ): Promise<Result<LinkClient, LinkFailure>>;
  /** The client of that id at that issuer, if it still is one of ours. */
  find(
    id: string,
    server: LinkedServer,
    metadata: ServerMetadata,
    clientId: string,
  ): Promise<LinkClient | undefined>;
  /** Forgets a registration that the issuer no longer knows. */
  forget(id: string, issuer: string): Promise<void>;
  redirectUri(id: string): string;
  /** The gateway's client metadata document for that server (OAuth Client ID Metadata Document). */
  document(id: string): JsonObject;
}

export interface LinkClientsDeps {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  /** The canonical URL of the gateway. */
  readonly gatewayUrl: string;
  /** How the gateway introduces itself to people on consent pages. */
  readonly clientName: string;
  /** Where the metadata document of a server's client is; served by the gateway unless given. */
  readonly documentUrl?: (server: string) => string;
}

/** Credentials are kept by issuer: none of one authorization server ever goes to another (R45). */
export function createLinkClients(deps: LinkClientsDeps): LinkClients {
  const { store, sealer, clock, clientName } = deps;
  const gateway = new URL(deps.gatewayUrl);
  const origin = gateway.origin;
  const isLocal = isLoopbackHost(gateway.hostname);
  const registering = new Map<string, Promise<Result<LinkClient, LinkFailure>>>();

  const redirectUri = (id: string) => `${origin}/link/${id}/callback`;
  const documentUrl = deps.documentUrl ?? ((id: string) => `${origin}/.well-known/oauth-client/${id}.json`);
  const keyOf = (server: string, issuer: string): LinkClientKey => ({
    server,
    issuer,
    redirectUri: redirectUri(server),
  });
  const boundTo = (key: LinkClientKey) => [key.server, key.issuer, key.redirectUri];

  /**
   * Undefined: changed, or moved. One that was sealed with a key that is not here is another process's, whose ring has
   * turned: it throws, since whoever made it anew would take the client from every link that was made with it.
   */
  function open(key: LinkClientKey, sealed: string): string | undefined {
    const opened = sealer.open('link_client', boundTo(key), sealed);
    if (opened.ok) return opened.value;
    if (opened.error === 'unknown_key') throw new Error('a client is sealed with a key that the ring lacks');
    return undefined;
  }

  const metadataOf = (id: string, method: string): JsonObject => ({
    client_name: clientName,
    ...(gateway.protocol === 'https:' ? { client_uri: origin } : {}),
    redirect_uris: [redirectUri(id)],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: method,
    application_type: isLocal ? 'native' : 'web',
  });

  /** A document on this machine can be read by an issuer on this machine alone. */
  function hasDocumentFor({ issuer, client_id_metadata_document_supported }: ServerMetadata): boolean {
    if (!client_id_metadata_document_supported) return false;
    return isLocal ? isLoopbackHost(new URL(issuer).hostname) : gateway.protocol === 'https:';
  }

  function configured(server: LinkedServer, metadata: ServerMetadata): LinkClient | undefined {
    if (server.client === undefined) return undefined;
    const { id, secret } = server.client;
    const supported = metadata.token_endpoint_auth_methods_supported;
    const method = chooseAuthMethod(supported, secret !== undefined);
    return {
      id,
      secret,
      method: method ?? (secret === undefined ? 'none' : 'client_secret_basic'),
      source: 'configured',
    };
  }

  /** A server that suddenly names another issuer does not get the configured secret sent there. */
  async function isAtItsIssuer(id: string, server: LinkedServer, issuer: string): Promise<boolean> {
    if (server.issuer !== undefined || server.client === undefined) return true;
    const key = keyOf(id, `configured:${server.client.id}`);
    const sealed = sealer.seal('link_client', boundTo(key), issuer);
    const held = await addLinkClient(store, { ...key, sealed, createdAt: clock.now() });
    const pinned = open(key, held);
    if (pinned !== undefined) return pinned === issuer;
    await deleteLinkClient(store, key, held);
    await addLinkClient(store, { ...key, sealed, createdAt: clock.now() });
    return true;
  }

  async function stored(key: LinkClientKey): Promise<LinkClient | undefined> {
    const sealed = await findLinkClient(store, key);
    if (sealed === undefined) return undefined;
    const text = open(key, sealed);
    const client = text === undefined ? undefined : readRegistration(text, clock);
    if (client === undefined) await deleteLinkClient(store, key, sealed);
    return client;
  }

  async function registered(
    id: string,
    metadata: ServerMetadata,
    reach: Reach,
  ): Promise<Result<LinkClient, LinkFailure>> {
    const endpoint = metadata.registration_endpoint;
    if (endpoint === undefined) return err(linkFailure('no_registration'));
    const supported = metadata.token_endpoint_auth_methods_supported;
    const method = chooseAuthMethod(supported, true);
    const asPublic = chooseAuthMethod(supported, false);
    const first = method ?? asPublic;
    if (first === undefined) return err(linkFailure('no_registration', { detail: supported?.join(' ') }));
    let made = await register(endpoint, metadataOf(id, first), redirectUri(id), reach);
    // Some give secrets to clients of their operator's alone.
    if (
      !made.ok &&
      made.error.code === 'invalid_client_metadata' &&
      asPublic !== undefined &&
      first !== asPublic
    ) {
      made = await register(endpoint, metadataOf(id, asPublic), redirectUri(id), reach);
    }
    if (!made.ok) return made;
    const key = keyOf(id, metadata.issuer);
    const sealed = sealer.seal('link_client', boundTo(key), writeRegistration(made.value));
    await addLinkClient(store, { ...key, sealed, createdAt: clock.now() });
    // Another process may have been first; its registration is the one that holds.
    return ok((await stored(key)) ?? made.value.client);
  }

  return {
    async obtain(id, server, metadata, reach) {
      const fixed = configured(server, metadata);
      if (fixed !== undefined) {
        const isAllowed = await isAtItsIssuer(id, server, metadata.issuer);
        return isAllowed ? ok(fixed) : err(linkFailure('issuer_changed', { detail: metadata.issuer }));
      }
      if (hasDocumentFor(metadata)) {
        return ok({ id: documentUrl(id), secret: undefined, method: 'none', source: 'document' });
      }
      const known = await stored(keyOf(id, metadata.issuer));
      if (known !== undefined) return ok(known);
      const name = JSON.stringify([id, metadata.issuer]);
      const running = registering.get(name) ?? registered(id, metadata, reach);
      registering.set(name, running);
      try {
        return await running;
      } finally {
        registering.delete(name);
      }
    },

    async find(id, server, metadata, clientId) {
      const fixed = configured(server, metadata);
      if (fixed?.id === clientId) {
        return (await isAtItsIssuer(id, server, metadata.issuer)) ? fixed : undefined;
      }
      if (clientId === documentUrl(id)) {
        return { id: clientId, secret: undefined, method: 'none', source: 'document' };
      }
      const known = await stored(keyOf(id, metadata.issuer));
      return known?.id === clientId ? known : undefined;
    },

    async forget(id, issuer) {
      const key = keyOf(id, issuer);
      const sealed = await findLinkClient(store, key);
      if (sealed !== undefined) await deleteLinkClient(store, key, sealed);
    },

    redirectUri,
    document: (id) => ({ client_id: documentUrl(id), ...metadataOf(id, 'none') }),
  };
}
