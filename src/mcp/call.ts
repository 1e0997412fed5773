import type { Snapshot } from '#catalog/snapshot.ts';
import type { CallPath } from '#kernel/call-path.ts';
import type { CancelSignal } from '#kernel/cancellation.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { RpcId } from '#wire/json-rpc.ts';
import type { Era, LogLevel } from '#wire/protocol.ts';
import type { Choice } from './choice.ts';
import type { Refusal } from './refusal.ts';
import type { Reply } from './reply.ts';
import type { LegacySession } from './session.ts';

/** What the client said of itself: per request (modern) or at initialize (legacy). Never trusted for a decision about rights. */
export interface ClientProfile {
  /** `elicitation`, `sampling` and `roots` only: no extension is relayed. */
  readonly capabilities: JsonObject;
  readonly agent: string | undefined;
  /** Undefined: no log message may be sent. */
  readonly logLevel: LogLevel | undefined;
}

/** One JSON-RPC request in neutral words: the same for both eras. */
export interface McpCall {
  readonly era: Era;
  readonly revision: string;
  readonly id: RpcId;
  readonly method: string;
  readonly params: JsonObject;
  readonly principal: Principal;
  readonly choice: Choice;
  /** The raw query of the URL, for the challenge. */
  readonly search: string;
  readonly client: ClientProfile;
  readonly session: LegacySession | undefined;
  readonly snapshot: Snapshot;
  readonly headers: Headers;
  readonly trace: Readonly<Record<string, string>>;
  /** Aborted by a cancel, a disconnect of a modern client, or shutdown. */
  readonly signal: CancelSignal;
  readonly reply: Reply;
  /** What the handler learns on the way, for the one audit record. */
  readonly facts: Facts;
  /** Undefined: nobody watches. */
  readonly path?: CallPath | undefined;
}

/** The part of an audit record that only a handler knows. Mutable while the call runs. */
export interface Facts {
  tool: string | undefined;
  backend: string | undefined;
  backends: string[];
  scopes: readonly string[] | undefined;
  mode: string | undefined;
  outcome: 'ok' | 'error' | 'input_required';
  code: string;
  listBytes: number | undefined;
  /** Parameters as text, for the keyed fingerprint. */
  params: string | undefined;
}

export function newFacts(): Facts {
  return {
    tool: undefined,
    backend: undefined,
    backends: [],
    scopes: undefined,
    mode: undefined,
    outcome: 'ok',
    code: 'ok',
    listBytes: undefined,
    params: undefined,
  };
}

/**
 * A result before its era's envelope: `members` is the inside of the result object as JSON text, without
 * `resultType` and `_meta`.
 */
export interface ResultBody {
  readonly members: string;
  readonly meta: JsonObject | undefined;
  readonly resultType: 'complete' | 'input_required';
}

export function complete(members: string, meta?: JsonObject): Result<ResultBody, never> {
  return { ok: true, value: { members, meta, resultType: 'complete' } };
}

/** The inside of an object's JSON: `{"a":1}` -> `"a":1`. */
export function membersOf(object: JsonObject): string {
  return JSON.stringify(object).slice(1, -1);
}

export type MethodReply = Result<ResultBody, Refusal>;
export type MethodHandler = (call: McpCall) => MethodReply | Promise<MethodReply>;
