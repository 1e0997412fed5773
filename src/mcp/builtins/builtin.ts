import type { JsonObject } from '#kernel/json.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';

/** A tool of the gateway's own. Its definition is the same for every caller; its answer comes from the caller's own view. */
export interface BuiltinDefinition {
  readonly name: string;
  readonly wire: JsonObject;
  /** Listed in search mode only. */
  readonly isForSearch: boolean;
}

export interface Builtin {
  readonly definition: BuiltinDefinition;
  run(deps: EdgeDeps, call: McpCall, args: JsonObject): MethodReply | Promise<MethodReply>;
}
