import { isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { providerLimits } from './provider-limits.ts';

/** What a server says about its protection (RFC 9728). */
export interface ResourceMetadata {
  /** Byte for byte as published: it goes into `resource`, and a slash too many breaks providers. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[] | undefined;
}

/** Where a server's metadata may lie, in order: what its 401 names, path-inserted, root (RFC 9728 section 3.1). */
export function resourceMetadataUrls(serverUrl: string, named: string | undefined): readonly string[] {
  const { origin, pathname, search } = new URL(serverUrl);
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname === '/' ? '' : pathname;
  const inserted = [path, path.replace(/\/$/, '')].map((exact) => `${wellKnown}${exact}${search}`);
  return [...new Set([...(named === undefined ? [] : [named]), ...inserted, wellKnown])];
}

/**
 * `mismatch`: the document is about another resource. One that covers the server is taken: the same origin, and a path
 * that the server's path begins with, whole segments compared.
 */
export function parseResourceMetadata(
  document: JsonObject,
  serverUrl: string,
): Result<ResourceMetadata, 'invalid' | 'mismatch'> {
  const resource = stringAt(document, 'resource');
  if (resource === undefined || resource.length > providerLimits.maxClientIdLength) return err('invalid');
  if (!covers(resource, serverUrl)) return err('mismatch');
  const { authorization_servers: servers, scopes_supported: scopes } = document;
  return ok({
    resource,
    authorizationServers: isStringArray(servers) ? servers : [],
    scopes: isStringArray(scopes) ? scopes : undefined,
  });
}

function covers(resource: string, serverUrl: string): boolean {
  if (resource === serverUrl) return true;
  const published = URL.parse(resource);
  const server = new URL(serverUrl);
  if (published === null || published.origin !== server.origin || published.hash !== '') return false;
  if (published.username !== '' || published.password !== '') return false;
  if (published.search !== '' && published.search !== server.search) return false;
  return withSlash(server.pathname).startsWith(withSlash(published.pathname));
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
