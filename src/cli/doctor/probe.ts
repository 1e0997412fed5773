import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound, OutboundFailure, OutboundRequest } from '#outbound/outbound.ts';
import { release } from '../release.ts';

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The body, where it is a JSON object; of an event stream, its last message. */
  readonly json: JsonObject | undefined;
}

export interface ProbeExtras {
  /** Over those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `{}` with POST, none otherwise. */
  readonly body?: string;
}

/** One request; no redirect is followed. The error is the cause in a few words. */
export type Probe = (
  method: OutboundRequest['method'],
  url: string,
  extras?: ProbeExtras,
) => Promise<Result<Answer, string>>;

export const userAgent = `cortex-doctor/${release.version}`;
const timeoutMs = 15_000;
const maxBytes = 4 * 1024 * 1024;

export function createProbe(outbound: Pick<Outbound, 'request'>): Probe {
  return async (method, url, { headers: extra, body = method === 'POST' ? '{}' : undefined } = {}) => {
    let message: JsonObject | undefined;
    const answer = await outbound.request({
      method,
      url,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...extra,
      },
      body,
      timeoutMs,
      maxBytes,
      signal: undefined,
      pool: undefined,
      onEvent: ({ data }) => {
        message = objectIn(data) ?? message;
        return message?.result !== undefined || message?.error !== undefined;
      },
    });
    if (!answer.ok) return err(causeOf(answer.error));
    const { status, headers, body: text, isStream } = answer.value;
    return ok({ status, header: (name) => headers.get(name), json: isStream ? message : objectIn(text) });
  };
}

function objectIn(text: string): JsonObject | undefined {
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** What stood in the way of an answer. */
export function causeOf({ reason, detail }: Pick<OutboundFailure, 'reason' | 'detail'>): string {
  if (detail === 'ECONNREFUSED') return 'nobody listens there (ECONNREFUSED)';
  if (detail === 'ENOTFOUND') return 'the name has no address (ENOTFOUND)';
  if (reason === 'timeout') return `no answer in time (${detail})`;
  return `${reason} (${detail})`;
}
