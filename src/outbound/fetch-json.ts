import { parseJson } from '#kernel/json.ts';
import { err, type Result } from '#kernel/result.ts';
import type { Outbound } from './outbound.ts';

const timeoutMs = 10_000;
const maxBytes = 256 * 1024;

/** Reads a public JSON document: authorization-server metadata, a key set. */
export type FetchJson = (url: string, signal?: AbortSignal) => Promise<Result<unknown, string>>;

/**
 * A GET without credentials: 200 and a JSON content type, within 10 s and 256 KB, no redirect followed. The error is a short cause for
 * the log. Does not check that the address is public.
 */
export function createFetchJson(outbound: Outbound): FetchJson {
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
    return parsed.ok ? parsed : err('not JSON');
  };
}

function isJsonType(contentType: string): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(contentType);
}
