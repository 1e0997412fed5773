import type { BackendCatalog } from '#contract/types.ts';
import type { CallPath } from '#kernel/call-path.ts';
import type { CancelSignal } from '#kernel/cancellation.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { LogLevel } from '#wire/protocol.ts';

/** How the caller's identity reaches a backend; every audit record names it. */
export type IdentityMode = 'propagate' | 'assert' | 'exchange' | 'linked' | 'none' | 'static';

/**
 * Whose token or assertion goes to a backend: implemented in `identity/`. The headers carry `Authorization`
 * and the `X-Cortex-*` context; they are made of the principal alone, never of the client's request.
 */
export interface IdentityResolver {
  /** Without a promise where nothing has to be fetched. */
  resolve(
    principal: Principal,
    target: IdentityTarget,
  ): Result<ResolvedIdentity, IdentityRefusal> | Promise<Result<ResolvedIdentity, IdentityRefusal>>;
  /** A server answered 401 to these headers: others, or why there are none. Asked at most once a request. */
  rejected?(
    principal: Principal,
    target: IdentityTarget,
    refused: ResolvedIdentity,
  ): Promise<Result<ResolvedIdentity, IdentityRefusal>>;
  /**
   * A server answered 403 `insufficient_scope` (RFC 6750): the next link asks for these scopes, too. False where
   * linking again would not help: the user was asked for them before, and the server still says so.
   */
  insufficient?(principal: Principal, target: IdentityTarget, scopes: readonly string[]): boolean;
}
export interface IdentityTarget {
  readonly backend: BackendId;
  readonly mode: IdentityMode;
  readonly url: string;
}
export interface ResolvedIdentity {
  readonly mode: IdentityMode;
  readonly headers: Readonly<Record<string, string>>;
}
export interface IdentityRefusal {
  readonly reason:
    | 'token_not_propagable'
    | 'audience_mismatch'
    | 'mode_unavailable'
    | 'exchange_refused' // the issuer gives out no token for this backend
    | 'link_required' // no account is linked there, or it must be linked again
    | 'identity_unavailable'; // who gives out the token cannot be reached right now
  readonly message: string;
}

/** Why a backend gave no result. One switch in `mcp/` turns these into what the agent sees. */
export type BackendFailureReason =
  | 'token_refused' // 401
  | 'scope_missing' // 403 with `required`
  | 'denied' // 403 without
  | 'invalid' // 400, 404, 409, 422
  | 'rate_limited' // 429
  | 'business_error' // 500 with JSON `{error}`
  | 'failed' // other 5xx
  | 'timeout'
  | 'unreachable' // refused, reset, TLS, DNS, cut in the middle
  | 'not_json'
  | 'too_large'
  | 'breaker_open'
  | 'busy' // the connection budget is spent
  | 'cancelled'
  | 'identity_refused'
  | 'identity_unavailable' // who gives out the token cannot be reached right now
  | 'link_required' // the caller's own account at this server is not linked, or must be linked again
  | 'state_lost' // the call that an answered question belongs to is not waiting any more
  | 'signature_refused' // a list that is not signed by the pinned key, or is a replay
  | 'unsupported'; // the backend does not know this method

export interface BackendFailure {
  readonly reason: BackendFailureReason;
  /** For the agent: the application's own words where it gave some; never an address or a stack. */
  readonly message: string;
  readonly status: number | undefined;
  /** With `scope_missing`: the scopes the backend named. */
  readonly requiredScopes: readonly string[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The parsed error body, for `_meta`. */
  readonly body: JsonValue | undefined;
}

/**
 * A tool's, prompt's or resource's answer.
 * `json`: the contract's plain JSON, raw and known to be valid JSON. `mcp`: an MCP result object, raw.
 */
export type Answer =
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'mcp'; readonly text: string }
  | {
      readonly kind: 'input_required';
      readonly inputRequests: JsonObject | undefined;
      readonly requestState: string | undefined;
    };

/** What really happened on the way to a backend: the audit records this and looks nothing up again. */
export interface Exchange<T> {
  readonly outcome: Result<T, BackendFailure>;
  readonly backend: BackendId;
  /** Undefined where the refusal came before an identity was resolved. */
  readonly mode: IdentityMode | undefined;
  /** Bytes of the backend's answer. */
  readonly answerBytes: number;
}

export interface ProgressEvent {
  readonly progress: number;
  readonly total: number | undefined;
  readonly message: string | undefined;
}
export interface LogEvent {
  readonly level: string;
  readonly logger: string | undefined;
  readonly data: JsonValue;
}

/** A question to the user in the middle of a call, and the client's answer: one of the two is set, or neither. */
export interface PeerQuestion {
  readonly method: string;
  readonly params: JsonObject;
}
export interface PeerAnswer {
  readonly result: JsonObject | undefined;
  readonly error: JsonObject | undefined;
}

/** What comes along with every user call. */
export interface CallContext {
  readonly principal: Principal;
  /** Aborted when the caller cancels, is revoked, or the gateway stops. */
  readonly signal: CancelSignal;
  /** Undefined: the backend's own configured timeout. Never beyond `limits.maxCallTimeoutMs`. */
  readonly timeoutMs: number | undefined;
  /** W3C trace context to send on: `traceparent`, `tracestate`, `baggage`. */
  readonly trace: Readonly<Record<string, string>>;
  /** Stable over the gateway's own retries. */
  readonly idempotencyKey: string;
  /** Present only when the client can receive them; then streaming is offered to the backend. */
  readonly onProgress: ((event: ProgressEvent) => void) | undefined;
  readonly onLog: ((event: LogEvent) => void) | undefined;
  /** What the client wants to hear of through `onLog`. Undefined: nothing. */
  readonly logLevel: LogLevel | undefined;
  /** The answers to an earlier `input_required`, with the backend's own state, unsealed. */
  readonly inputResponses: JsonObject | undefined;
  readonly requestState: string | undefined;
  /**
   * What the client can be asked, extensions dropped: `elicitation`, `sampling`, `roots`. The HTTP contract sends the names,
   * sorted and space separated, as `X-Cortex-Client-Capabilities`.
   */
  readonly clientCapabilities: JsonObject;
  /**
   * Asks the user at once, on the stream of the call itself; present only where the client can be asked so (a legacy
   * client, R29). Without it a server that asks in mid-stream is parked, and the call answers `input_required`.
   */
  readonly ask: ((question: PeerQuestion) => Promise<PeerAnswer>) | undefined;
  /** Where calls are watched: what this one got past. */
  readonly path?: CallPath | undefined;
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: JsonObject;
  readonly hasOutputSchema: boolean;
  /** Idempotent or read-only: may be sent again after a byte was sent. */
  readonly isRepeatable: boolean;
}

export type Discovery =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'catalog';
      readonly catalog: BackendCatalog;
      readonly etag: string | undefined;
      /** Definitions left out, and why: for the log and `cortex check`. */
      readonly problems: readonly string[];
    };

export interface CompletionValues {
  readonly values: readonly string[];
  readonly total: number | undefined;
  readonly hasMore: boolean | undefined;
}

export interface BackendHealth {
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly inFlight: number;
}

/** What one principal sees of a server whose lists are not the same for everyone (R44). */
export type PersonalCatalog =
  /** No account is linked: one tool to link it, nothing else. */
  | { readonly kind: 'unlinked' }
  /** The principal's own lists; stale: the last good ones of a server that does not answer, or a grant that died. */
  | { readonly kind: 'listed'; readonly catalog: BackendCatalog; readonly isStale: boolean }
  /** The server's lists are the same for everyone: they are in the snapshot. */
  | { readonly kind: 'shared' };

export interface PersonalLists {
  /** What is known at once; the same object until it changes. Undefined: nothing yet, `refresh` finds out. */
  current(principal: Principal): PersonalCatalog | undefined;
  /** Asks the server as this principal, single flight. Never rejects. */
  refresh(principal: Principal, signal: AbortSignal): Promise<PersonalCatalog>;
}

/** What a server tells by itself; given to it when it is made. */
export interface BackendEvents {
  /** The shared lists may have changed: poll now. */
  catalogChanged(backend: BackendId): void;
  /** The lists of one principal changed, or its linking. */
  personalChanged(backend: BackendId, principalKey: string): void;
  /** A followed resource changed; `principalKey` undefined: for everyone who follows it. */
  resourceUpdated(backend: BackendId, uri: string, principalKey: string | undefined): void;
}

/** One application behind the gateway. Expected failures come back as values. */
export interface Backend {
  readonly id: BackendId;
  /**
   * Speaks MCP itself, so that arguments lie apart from what goes along with them. The contract puts `inputResponses`
   * and `requestState` beside the arguments: there they are no names for an argument.
   */
  readonly isNative?: true;
  /** Lists everything with the technical token; `etag` of the last answer makes it conditional. */
  discover(etag: string | undefined, signal: AbortSignal): Promise<Result<Discovery, BackendFailure>>;
  call(tool: ToolCall, context: CallContext): Promise<Exchange<Answer>>;
  /** `json` is the contract's `{contents}`. */
  read(uri: string, context: CallContext): Promise<Exchange<Answer>>;
  /** `json` is the contract's `{description?, messages}`. */
  prompt(name: string, args: JsonObject, context: CallContext): Promise<Exchange<Answer>>;
  complete(ref: JsonObject, argument: JsonObject, context: CallContext): Promise<Exchange<CompletionValues>>;
  /** The contract's `get_help` method. */
  help(topic: string | undefined, context: CallContext): Promise<Exchange<Answer>>;
  whoami(context: CallContext): Promise<Exchange<JsonValue>>;
  /** The backend's own tickets: `report_missing_capability` or `list_tickets`. */
  ticket(
    method: 'report_missing_capability' | 'list_tickets',
    params: JsonObject,
    context: CallContext,
  ): Promise<Exchange<JsonValue>>;
  /** Absent: the lists are the same for everyone, and `discover` gives them. */
  readonly personal?: PersonalLists;
  /**
   * Follows a resource as this principal until the returned function is called; changes are told to the
   * events that the backend was made with. Absent: the backend tells by itself (`/catalog/changed`).
   */
  follow?(uri: string, principal: Principal): () => void;
  health(): BackendHealth;
  close(): Promise<void>;
}
