import { parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from './outbound.ts';

const timeoutMs = 10_000;
const maxBytes = 256 * 1024;

/** Reads a public JSON document: authorization-server metadata, a key set. */
export type FetchJson = (url: string, signal?: AbortSignal) => Promise<Result<unknown, string>>;

export interface JsonDocument {
  readonly body: unknown;
  /** For how long `Cache-Control` lets it be kept: 0 where it must not be; undefined where it says nothing. */
  readonly maxAgeSeconds: number | undefined;
}

/**
 * A GET without credentials: 200 and a JSON content type, within 10 s and 256 KB, no redirect followed. The error is a short cause for
 * the log. Does not check that the address is public.
 */
export function createFetchJson(outbound: Outbound): FetchJson {
  const fetchDocument = createFetchJsonDocument(outbound);
  return async (url, signal) => {
    const fetched = await fetchDocument(url, signal);
    return fetched.ok ? ok(fetched.value.body) : fetched;
  };
}

/** As `createFetchJson`, with how long the document may be kept. */
export function createFetchJsonDocument(
  outbound: Outbound,
): (url: string, signal?: AbortSignal) => Promise<Result<JsonDocument, string>> {
  return async (url, signal) => {
    const answer = await outbound.request({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      body: undefined,
      timeoutMs,
      maxBytes,
      signal,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) return err(`${answer.error.reason} (${answer.error.detail})`);
    const { status, headers, body } = answer.value;
    if (status !== 200) return err(`status ${status}`);
    if (!isJsonType(headers.get('content-type') ?? '')) return err('not JSON by its content type');
    const parsed = parseJson(body);
    if (!parsed.ok) return err('not JSON');
    return ok({ body: parsed.value, maxAgeSeconds: maxAge(headers.get('cache-control') ?? '') });
  };
}

function maxAge(cacheControl: string): number | undefined {
  if (/(^|[\s,])(no-store|no-cache)\s*($|,)/i.test(cacheControl)) return 0;
  const seconds = /(^|[\s,])max-age\s*=\s*"?(\d{1,10})"?\s*($|,)/i.exec(cacheControl)?.[2];
  return seconds === undefined ? undefined : Number(seconds);
}

function isJsonType(contentType: string): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(contentType);
}
