import { err, ok, type Result } from '#kernel/result.ts';
import { probeServer } from './challenge.ts';
import type { Egress } from './egress.ts';
import { type LinkFailure, linkFailure } from './link-failure.ts';
import type { LinkedServer } from './linked-server.ts';
import { type DocumentProblem, readDocument } from './read-document.ts';
import { parseResourceMetadata, type ResourceMetadata, resourceMetadataUrls } from './resource-metadata.ts';
import {
  assumedMetadata,
  metadataUrls,
  parseServerMetadata,
  type ServerMetadata,
} from './server-metadata.ts';

/** Who gives out tokens for a server, and what to ask for. */
export interface Provider {
  readonly metadata: ServerMetadata;
  /** What the token is to be for (RFC 8707), byte for byte as the server publishes it. */
  readonly resource: string;
  /** The scopes that its 401 named. */
  readonly challengedScopes: readonly string[] | undefined;
  /** The scopes that its metadata names. */
  readonly resourceScopes: readonly string[] | undefined;
}

export interface Reach {
  readonly egress: Egress;
  readonly timeoutMs: number;
}

/**
 * Asks a server, then its authorization server, who they are. A step that gets no answer ends it: an outage must not
 * lead to weaker rules. Does not look at PKCE or at registration.
 */
export async function discoverProvider(
  server: LinkedServer,
  reach: Reach,
): Promise<Result<Provider, LinkFailure>> {
  const probe = await probeServer(reach.egress.outbound, server.url, reach.timeoutMs);
  if (probe.kind === 'unreachable' || probe.kind === 'refused') return err(problemFailure(probe));
  const challenge = probe.kind === 'challenged' ? probe.challenge : undefined;

  const resource = await discoverResource(server, challenge?.resourceMetadata, reach);
  if (!resource.ok) return resource;
  const named = server.issuer ?? resource.value?.authorizationServers[0];
  // Revision 2025-03-26 knew no metadata of the resource: the server's own origin gives out its tokens.
  const origin = new URL(server.url).origin;
  const metadata = await discoverIssuer(named ?? origin, reach);
  if (!metadata.ok && !(metadata.error.reason === 'metadata_missing' && named === undefined)) return metadata;
  return ok({
    metadata: metadata.ok ? metadata.value : assumedMetadata(origin),
    resource: resource.value?.resource ?? server.url,
    challengedScopes: challenge?.scopes,
    resourceScopes: resource.value?.scopes,
  });
}

/** An authorization server's metadata, whose `issuer` is the asked-for one byte for byte (RFC 8414 section 3.3). */
export async function discoverIssuer(
  issuer: string,
  { egress, timeoutMs }: Reach,
): Promise<Result<ServerMetadata, LinkFailure>> {
  const url = URL.parse(issuer);
  const shown = issuer.slice(0, 200);
  if (url === null || url.search !== '')
    return err(linkFailure('metadata_invalid', { detail: `no issuer: ${shown}` }));
  if (!egress.maySend(url)) return err(linkFailure('address_refused', { detail: shown }));
  let found: LinkFailure | undefined;
  for (const address of metadataUrls(issuer)) {
    const document = await readDocument(egress.outbound, address, timeoutMs);
    if (!document.ok) {
      if (document.error.kind === 'absent') continue;
      return err(problemFailure(document.error));
    }
    const metadata = parseServerMetadata(document.value);
    if (metadata?.issuer === issuer) return ok(metadata);
    const detail = `${address}: ${metadata === undefined ? 'incomplete' : `issuer ${metadata.issuer.slice(0, 200)}`}`;
    found ??= linkFailure(metadata === undefined ? 'metadata_invalid' : 'issuer_mismatch', { detail });
  }
  return err(found ?? linkFailure('metadata_missing', { detail: issuer }));
}

async function discoverResource(
  server: LinkedServer,
  named: string | undefined,
  { egress, timeoutMs }: Reach,
): Promise<Result<ResourceMetadata | undefined, LinkFailure>> {
  for (const address of resourceMetadataUrls(server.url, named)) {
    const document = await readDocument(egress.outbound, address, timeoutMs);
    if (!document.ok) {
      if (document.error.kind === 'absent') continue;
      return err(problemFailure(document.error));
    }
    const metadata = parseResourceMetadata(document.value, server.url);
    if (metadata.ok) return metadata;
    const reason = metadata.error === 'mismatch' ? 'resource_mismatch' : 'metadata_invalid';
    return err(linkFailure(reason, { detail: address }));
  }
  return ok(undefined);
}

function problemFailure({ kind, detail }: { kind: DocumentProblem['kind']; detail: string }): LinkFailure {
  switch (kind) {
    case 'refused':
      return linkFailure('address_refused', { detail });
    case 'unreachable':
      return linkFailure('unreachable', { detail });
    case 'invalid':
      return linkFailure('metadata_invalid', { detail });
    case 'absent':
      return linkFailure('metadata_missing', { detail });
  }
}
