import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The body, where it is a JSON object. */
  readonly json: JsonObject | undefined;
}

/** One request without any credentials. The error is the cause in a few words. */
export type Probe = (method: 'GET' | 'POST', url: string) => Promise<Result<Answer, string>>;

const timeoutMs = 10_000;
const maxBytes = 256 * 1024;

export function createProbe(outbound: Pick<Outbound, 'request'>): Probe {
  return async (method, url) => {
    const answer = await outbound.request({
      method,
      url,
      headers: {
        accept: 'application/json',
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      body: method === 'POST' ? '{}' : undefined,
      timeoutMs,
      maxBytes,
      signal: undefined,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) return err(`${answer.error.reason} (${answer.error.detail})`);
    const { status, headers, body } = answer.value;
    const parsed = parseJson(body);
    return ok({
      status,
      header: (name) => headers.get(name),
      json: parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined,
    });
  };
}
