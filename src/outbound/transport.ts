import type { LookupFunction } from 'node:net';
import type { OutboundFailure, OutboundRequest } from './outbound.ts';
import type { Target } from './target.ts';

/** What one exchange hears from the connection that carries it, in this order; nothing after `ends` or `fails`. */
export interface AnswerSink {
  /** The request is about to be written. False: it was given up in the meantime and must not be. */
  starts(): boolean;
  /** The head of the final answer; interim answers are not told. Lower-case names. */
  head(status: number, headers: ReadonlyMap<string, string>): void;
  data(chunk: Buffer): void;
  /** The answer is complete. */
  ends(): void;
  fails(reason: OutboundFailure['reason'], detail: string): void;
}

export interface TransportOptions {
  /** Per pool and origin. */
  readonly maxConnections: number;
  readonly maxPools: number;
  readonly connectTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly lookup: LookupFunction | undefined;
  readonly ca: string | undefined;
}

/** Carries requests over connections that it keeps. */
export interface Transport {
  /**
   * Sends one request. The returned function gives it up: the sink hears nothing more, and the connection is destroyed
   * unless the answer was complete.
   */
  send(target: Target, request: OutboundRequest, sink: AnswerSink): () => void;
  /** Ends every exchange in flight and closes every connection. */
  close(): Promise<void>;
}
