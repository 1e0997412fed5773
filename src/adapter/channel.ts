import type { BackendFailure, IdentityMode } from '#backends/backend.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { RpcId, RpcMessage } from '#wire/json-rpc.ts';

/**
 * The raw way to one server: HTTP, or the two pipes of a child process. It carries messages and pairs responses with
 * requests; it knows nothing of eras, `initialize`, `_meta`, or what a method means. All of that is above it, once.
 */
export interface Wire {
  /**
   * Undefined: one duplex stream for everything. A cancel is a message, and whatever is no response comes through
   * `WireEvents`. On HTTP each request has a stream of its own, and giving that up is a cancel.
   */
  readonly http: HttpVerbs | undefined;
  /** Whose token went along with the last request; on a duplex wire the mode it was opened with. */
  mode(): IdentityMode | undefined;
  /** Settles once, with the response or why there is none: never rejects. An id is never used twice on one wire. */
  request(request: WireRequest): Promise<Result<WireAnswer, BackendFailure>>;
  /** Sends a notification, or a response to the server's own request. Never rejects. */
  send(message: WireSend): Promise<Result<undefined, BackendFailure>>;
  /** Every request under way fails with `cancelled`. Waits until what belongs to the wire is gone. */
  close(): Promise<void>;
}

/** What HTTP has beside messages; both are of the legacy era. */
export interface HttpVerbs {
  /** GET: hears what the server says by itself, until the stream ends or is given up. */
  listen(request: WireListen): Promise<Result<WireAnswer, BackendFailure>>;
  /** DELETE: ends the session. */
  end(headers: Readonly<Record<string, string>>): Promise<void>;
}

export interface WireListen {
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly onMessage: (message: PeerMessage) => void;
}

/** The reason of a request's signal where its time was up; whatever else aborts it was the caller's wish. */
export const timeIsUp = 'time is up';

export interface WireRequest {
  readonly id: RpcId;
  /** The whole JSON-RPC message, without line breaks. */
  readonly text: string;
  /** What the era says in headers (`MCP-Protocol-Version`, `Mcp-Session-Id` ...); a duplex wire ignores them. */
  readonly headers: Readonly<Record<string, string>>;
  /** A stream that breaks off is taken up again where it ended; a duplex wire ignores it. */
  readonly isResumable: boolean;
  /** May be sent again although it may have been received; a duplex wire ignores it. */
  readonly isRepeatable: boolean;
  /** Connections of their own, so that a server whose calls hang is still polled and heard; a duplex wire ignores it. */
  readonly lane: 'call' | 'list' | 'stream';
  readonly timeoutMs: number;
  /** Of the answer, with everything before it on its stream. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** What came on the request's own stream before its response; a duplex wire never calls it. */
  readonly onMessage: (message: PeerMessage) => void;
}

export interface WireSend {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** A message of the server's. `text` is the message as it came: results pass on verbatim. */
export interface PeerMessage {
  readonly text: string;
  readonly message: RpcMessage;
}

export interface WireAnswer {
  /** The response to this request; undefined where HTTP answered something that is none (an error page, a 202). */
  readonly response: PeerMessage | undefined;
  /** Of HTTP; 200 on a duplex wire. */
  readonly status: number;
  /** Lower-case names; empty on a duplex wire. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: number;
}

export interface WireEvents {
  /** Whatever came on no request's own stream: on a duplex wire all that is no response. Responses to unknown ids are dropped. */
  message(message: PeerMessage): void;
  /** The wire is of no more use (the child died, the pipe broke); called once, after every request was settled. */
  closed(): void;
}

/** Whose wire it is. Undefined: nobody's, for lists that everyone shares and for a process that all share. */
export type WireOwner = Principal | undefined;

/** Makes the wires of one server. One that cannot be reached may be found out here or at the first request. */
export interface Wires {
  /** One for each owner, or one for everyone. */
  readonly isShared: boolean;
  open(owner: WireOwner, events: WireEvents, signal: AbortSignal): Promise<Result<Wire, BackendFailure>>;
  close(): Promise<void>;
}
