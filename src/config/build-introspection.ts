import type { IntrospectionConfig } from './config.ts';
import { issuerTokenOptions } from './issuer-token-options.ts';
import type { Reader } from './reader.ts';

/** How the issuer at `at` is asked about tokens; undefined where it is not. `checkTokens` tells of half of one. */
export function buildIntrospection(reader: Reader, at: readonly string[]): IntrospectionConfig | undefined {
  // As with feeds: what most issuers do not have is not shown of each.
  if (reader.keysBelow(['auth', 'issuers', ...at, 'introspection']).length === 0) return undefined;
  const url = reader.read(issuerTokenOptions.introspectionUrl, at);
  const id = reader.read(issuerTokenOptions.introspectionClientId, at);
  const secret = reader.read(issuerTokenOptions.introspectionClientSecret, at);
  const mode = reader.read(issuerTokenOptions.introspectionMode, at);
  const cacheMs = reader.read(issuerTokenOptions.introspectionCache, at);
  return url === undefined || id === undefined ? undefined : { url, client: { id, secret }, mode, cacheMs };
}
