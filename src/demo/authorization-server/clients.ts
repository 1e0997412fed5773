import type { Database } from 'bun:sqlite';
import type { Clock } from '#kernel/clock.ts';
import { isStringArray, parseJson } from '#kernel/json.ts';
import { type ClientDocuments, isDocumentUrl } from './client-documents.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { seconds } from './database.ts';
import { hashOf, newOpaque } from './opaque.ts';
import type { ServerLimits, StaticClient } from './options.ts';

/** A client, wherever its description came from. */
export interface Client {
  readonly id: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** Undefined: a public client. */
  readonly secretHash: string | undefined;
  readonly canRefresh: boolean;
  /** The operator vouches for it; anybody can register or host a document. */
  readonly isTrusted: boolean;
  readonly isResourceServer: boolean;
  readonly exchangeAudiences: readonly string[];
}

export interface Clients {
  /** `address` pays for reading a metadata document. */
  find(clientId: string, address: string): Promise<Client | undefined>;
  /** Undefined: full, and nothing old and unused to drop. */
  register(
    metadata: ClientMetadata,
  ): { readonly clientId: string; readonly secret: string | undefined } | undefined;
}

interface ClientRow {
  readonly client_id: string;
  readonly name: string;
  readonly redirect_uris: string;
  readonly secret_hash: string | null;
  readonly can_refresh: number;
}

/** Clients in the order they are looked for: listed by the operator, self-describing by URL, registered (RFC 7591). */
export function createClients(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly listed: readonly StaticClient[];
  readonly documents: ClientDocuments;
  readonly limits: ServerLimits;
}): Clients {
  const { database, clock, documents, limits } = deps;
  const listed = new Map(deps.listed.map((client) => [client.clientId, fromStatic(client)]));
  const select = database.query<ClientRow, { clientId: string }>(
    'SELECT * FROM clients WHERE client_id = $clientId',
  );
  const count = database.query<{ n: number }, []>('SELECT count(*) AS n FROM clients');
  // Only what nobody ever consented to may go: a flood of registrations must not push out clients in use.
  const dropUnused = database.query(
    `DELETE FROM clients WHERE client_id IN (SELECT client_id FROM clients WHERE created_at < $before
       AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.client_id) ORDER BY created_at LIMIT 100)`,
  );
  const insert = database.query(
    'INSERT INTO clients VALUES ($clientId, $name, $redirectUris, $secretHash, $canRefresh, $now)',
  );

  return {
    async find(clientId, address) {
      const known = listed.get(clientId);
      if (known !== undefined) return known;
      if (isDocumentUrl(clientId)) return documents.read(clientId, address);
      const row = select.get({ clientId });
      return row === null ? undefined : fromRow(row);
    },
    register(metadata) {
      const now = seconds(clock);
      if ((count.get()?.n ?? 0) >= limits.maxClients) {
        if (dropUnused.run({ before: now - 3_600 }).changes === 0) return undefined;
      }
      const clientId = crypto.randomUUID();
      const secret = metadata.authMethod === 'none' ? undefined : newOpaque();
      insert.run({
        clientId,
        name: metadata.name,
        redirectUris: JSON.stringify(metadata.redirectUris),
        secretHash: secret === undefined ? null : hashOf(secret),
        canRefresh: metadata.grantTypes.includes('refresh_token') ? 1 : 0,
        now,
      });
      return { clientId, secret };
    },
  };
}

function fromStatic(client: StaticClient): Client {
  return {
    id: client.clientId,
    name: client.name,
    redirectUris: client.redirectUris,
    secretHash: client.secret === undefined ? undefined : hashOf(client.secret.reveal()),
    canRefresh: true,
    isTrusted: true,
    isResourceServer: client.isResourceServer && client.secret !== undefined,
    exchangeAudiences: client.secret === undefined ? [] : client.exchangeAudiences,
  };
}

function fromRow(row: ClientRow): Client {
  const uris = parseJson(row.redirect_uris);
  return {
    id: row.client_id,
    name: row.name,
    redirectUris: uris.ok && isStringArray(uris.value) ? uris.value : [],
    secretHash: row.secret_hash ?? undefined,
    canRefresh: row.can_refresh === 1,
    isTrusted: false,
    isResourceServer: false,
    exchangeAudiences: [],
  };
}
