import type { LookupFunction } from 'node:net';
import type { CancelSignal } from '#kernel/cancellation.ts';
import type { Result } from '#kernel/result.ts';
import { exchange } from './exchange.ts';
import type { SseEvent, StreamPosition } from './sse-reader.ts';
import { createTargets } from './target.ts';
import type { Transport, TransportOptions } from './transport.ts';

/**
 * One HTTP request. The deadline covers connecting, head and body; a redirect is an answer like any other and is
 * never followed, so a token in `headers` reaches no other origin (R39).
 */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers that come again, the same object, with other requests: they are checked and written once for each. */
  readonly shared?: readonly Readonly<Record<string, string>>[];
  readonly body: string | undefined;
  readonly timeoutMs: number;
  /** Of the answer's body; for an event stream, of the whole stream. */
  readonly maxBytes: number;
  readonly signal: CancelSignal | undefined;
  /** Requests with one key share connections, and share them with nobody else. Undefined: the origin alone is the key. */
  readonly pool: string | undefined;
  /**
   * Takes the events of a 200 answer of type `text/event-stream`; its body is then empty. Returning true ends
   * the exchange: the rest of the stream is not waited for.
   */
  readonly onEvent: ((event: SseEvent) => boolean) | undefined;
  /** Hears how far an event stream has come: what it takes to take it up again. */
  readonly onPosition?: (position: StreamPosition) => void;
  /** Hears that anything of an event stream came, a comment too, after the events in it: that the other side lives. */
  readonly onStreamBytes?: () => void;
}

export interface OutboundResponse {
  readonly status: number;
  /** Lower-case names; a repeated header's values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly bodyBytes: number;
  /** Whether the body went to `onEvent`. */
  readonly isStream: boolean;
}

export interface OutboundFailure {
  /**
   * `unreachable`: refused, reset, DNS, TLS, cut in the middle, or not HTTP. `bad_encoding`: not UTF-8, or compressed
   * though nothing was asked for. `invalid_request`: an address or header that cannot be sent.
   */
  readonly reason: 'timeout' | 'unreachable' | 'too_large' | 'cancelled' | 'bad_encoding' | 'invalid_request';
  /** How far it got. */
  readonly phase: 'connect' | 'head' | 'body';
  /** Whether a byte of the request may have reached the other side. */
  readonly wasSent: boolean;
  /** For the log only: a code or a short cause. */
  readonly detail: string;
  readonly bodyBytes: number;
}

export interface Outbound {
  request(request: OutboundRequest): Promise<Result<OutboundResponse, OutboundFailure>>;
  /** Ends every exchange in flight and closes every connection. */
  close(): Promise<void>;
}

export interface OutboundOptions {
  /** Per pool and origin. */
  readonly maxConnections?: number;
  /** Pools kept at once; the least recently used goes first. */
  readonly maxPools?: number;
  readonly connectTimeoutMs?: number;
  /** Bytes of an answer's head. */
  readonly maxHeadBytes?: number;
  /** Resolves names in place of the system: pins an address, or forbids one. */
  readonly lookup?: LookupFunction;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
}

/** Over undici, pooled per origin and key: for every request but a user's call, which goes over `createSocketOutbound`. */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const targets = createTargets();
  let transport: Transport | undefined;
  let loading: Promise<Transport> | undefined;
  let isClosed = false;

  /** undici takes 25 ms to load: it comes after whatever is being started, at the first request. */
  async function load(): Promise<Transport> {
    await new Promise((resolve) => setImmediate(resolve));
    const { createUndiciTransport } = await import('./undici-transport.ts');
    transport ??= createUndiciTransport(transportOptions(options));
    if (isClosed) await transport.close();
    return transport;
  }
  return {
    request(request) {
      const target = targets(request.url);
      if (transport !== undefined) return exchange(transport, target, request);
      loading ??= load();
      return loading.then((loaded) => exchange(loaded, target, request));
    },
    async close() {
      isClosed = true;
      await transport?.close();
    },
  };
}

/** The options with their defaults. */
export function transportOptions(options: OutboundOptions): TransportOptions {
  return {
    maxConnections: options.maxConnections ?? 256,
    maxPools: options.maxPools ?? 1_024,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    maxHeadBytes: options.maxHeadBytes ?? 64 * 1024,
    lookup: options.lookup,
    ca: options.ca,
  };
}
