import type { Outbound, OutboundFailure } from './outbound.ts';

/** The part of `fetch` that an OAuth library uses: a GET or POST with a text or form body, no redirect followed. */
export type LibraryFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | URLSearchParams | null;
  },
) => Promise<Response>;

const usualTimeoutMs = 10_000;
const maxBytes = 256 * 1024;

/** An exchange that got no answer; `detail` is for the log. */
export class NoAnswer extends Error {
  readonly failure: OutboundFailure | undefined;

  constructor(detail: string, failure?: OutboundFailure) {
    super(detail);
    this.failure = failure;
  }
}

/** `fetch` over an outbound, for a library that wants one: 10 s unless given, and 256 KB. Throws a {@link NoAnswer} where there is none. */
export function createLibraryFetch(outbound: Outbound, timeoutMs = usualTimeoutMs): LibraryFetch {
  return async (url, { method, headers, body }) => {
    if (method !== 'GET' && method !== 'POST') throw new NoAnswer(`no ${method} is sent`);
    const answer = await outbound.request({
      method,
      url,
      headers,
      body: body === undefined || body === null ? undefined : String(body),
      timeoutMs,
      maxBytes,
      signal: undefined,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) throw new NoAnswer(`${answer.error.reason} (${answer.error.detail})`, answer.error);
    const { status } = answer.value;
    const hasBody = status !== 204 && status !== 205 && status !== 304;
    return new Response(hasBody ? answer.value.body : null, { status, headers: [...answer.value.headers] });
  };
}
