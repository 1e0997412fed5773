import { type JsonObject, parseJson } from '#kernel/json.ts';
import type { Outbound } from '#outbound/outbound.ts';

/** One request as the gateway would send it, or not. */
export interface ProbeRequest {
  readonly method: string;
  readonly params?: JsonObject;
  /** Undefined: no `Authorization` at all. */
  readonly token: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `{method, params}`. */
  readonly body?: string;
}

/** What came back. Status 0: nothing usable, and `problem` says why. */
export interface ProbeReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly json: unknown;
  readonly problem: string | undefined;
  /** False: nobody answers there. */
  readonly isReached: boolean;
  readonly ms: number;
}

export type Probe = (request: ProbeRequest) => Promise<ProbeReply>;

const maxBytes = 10 * 1024 * 1024;

export function createProbe(outbound: Outbound, url: string, timeoutMs: number): Probe {
  return async ({ method, params, token, headers, body }) => {
    const startedMs = performance.now();
    const answer = await outbound.request({
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'x-cortex-deadline-ms': String(timeoutMs),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body ?? JSON.stringify({ method, params: params ?? {} }),
      timeoutMs,
      maxBytes,
      signal: undefined,
      pool: undefined,
      onEvent: undefined,
    });
    const ms = performance.now() - startedMs;
    if (!answer.ok) {
      const { reason, detail } = answer.error;
      return {
        status: 0,
        headers: new Map(),
        text: '',
        json: undefined,
        problem: `${explain(reason, timeoutMs)} (${detail})`,
        isReached: reason !== 'unreachable' && reason !== 'timeout',
        ms,
      };
    }
    const { status, headers: answered, body: text } = answer.value;
    const parsed = parseJson(text);
    return {
      status,
      headers: answered,
      text,
      json: parsed.ok ? parsed.value : undefined,
      problem: undefined,
      isReached: true,
      ms,
    };
  };
}

function explain(reason: string, timeoutMs: number): string {
  switch (reason) {
    case 'timeout':
      return `no answer within ${timeoutMs} ms`;
    case 'too_large':
      return 'the answer is larger than 10 MB';
    case 'bad_encoding':
      return 'the answer is compressed, or no UTF-8';
    default:
      return 'no answer';
  }
}

/** A reply in a few words, for a verdict. */
export function brief({ status, text, problem }: ProbeReply): string {
  if (problem !== undefined) return problem;
  const shown = text.replaceAll(/\s+/g, ' ').slice(0, 120);
  return `${status} ${shown}${text.length > 120 ? '...' : ''}`;
}
