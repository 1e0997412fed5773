import type { Clock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { parseClientMetadata } from './client-metadata.ts';
import type { Client } from './clients.ts';
import type { FetchDocument, ServerLimits } from './options.ts';
import { isLoopbackUri } from './redirect-uri.ts';
import { addressRange, createWindowLimiter } from './window-limiter.ts';

export interface ClientDocuments {
  /** The client that the document at `url` describes. Undefined: not readable, not valid, or too many reads. */
  read(url: string, address: string): Promise<Client | undefined>;
}

/** Whether a client id claims to be the URL of its own metadata document. */
export function isDocumentUrl(clientId: string): boolean {
  return clientId.startsWith('https://') || clientId.startsWith('http://');
}

const maxDocuments = 500;

/**
 * Clients that describe themselves (OAuth Client ID Metadata Document). Documents are cached for as long as they
 * ask, between a minute and a day; failures for a minute, so that a stranger cannot make us a source of requests.
 */
export function createClientDocuments(deps: {
  readonly fetchDocument: FetchDocument | undefined;
  readonly allowsLoopback: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ServerLimits;
}): ClientDocuments {
  const { fetchDocument, clock, log, limits } = deps;
  const cache = new Map<string, { readonly client: Client | undefined; readonly until: number }>();
  const reads = createWindowLimiter(clock, limits.maxDocumentReadsPerAddressRange, limits.limitWindowSeconds);

  return {
    async read(url, address) {
      if (fetchDocument === undefined || !isAcceptableDocumentUrl(url, deps.allowsLoopback)) return undefined;
      const cached = cache.get(url);
      if (cached !== undefined && cached.until > clock.monotonic()) return cached.client;
      if (reads.take(addressRange(address)) !== undefined) return undefined;

      const fetched = await fetchDocument(url);
      const client = fetched.ok ? parseDocument(url, fetched.value.body) : undefined;
      if (client === undefined) log.info('demo.client_document_refused', { host: new URL(url).host });
      const askedSeconds = client === undefined || !fetched.ok ? 60 : (fetched.value.maxAgeSeconds ?? 300);
      cache.delete(url);
      cache.set(url, {
        client,
        until: clock.monotonic() + Math.min(86_400, Math.max(60, askedSeconds)) * 1000,
      });
      const oldest = cache.keys().next();
      if (cache.size > maxDocuments && !oldest.done) cache.delete(oldest.value);
      return client;
    },
  };
}

/** https with a path, without fragment, user name or dot segments: the URL must be its own canonical form. */
function isAcceptableDocumentUrl(url: string, allowsLoopback: boolean): boolean {
  if (url.length > 500 || !URL.canParse(url)) return false;
  const parsed = new URL(url);
  if (parsed.href !== url || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '')
    return false;
  if (parsed.pathname === '/') return false;
  return parsed.protocol === 'https:' || (allowsLoopback && isLoopbackUri(url));
}

/** The document must name its own URL, and cannot hold a shared secret, as everybody can read it. */
function parseDocument(url: string, body: unknown): Client | undefined {
  if (!isJsonObject(body) || body.client_id !== url || typeof body.client_name !== 'string') return undefined;
  const metadata = parseClientMetadata({ token_endpoint_auth_method: 'none', ...body });
  if (!metadata.ok || metadata.value.authMethod !== 'none' || body.client_secret !== undefined)
    return undefined;
  return {
    id: url,
    name: metadata.value.name,
    redirectUris: metadata.value.redirectUris,
    secretHash: undefined,
    canRefresh: metadata.value.grantTypes.includes('refresh_token'),
    isTrusted: false,
    isResourceServer: false,
    exchangeAudiences: [],
  };
}
