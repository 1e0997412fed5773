import type { CallPath } from '#kernel/call-path.ts';
import type { Principal } from '#kernel/principal.ts';
import type { RpcMessage } from '#wire/json-rpc.ts';
import type { Choice } from './choice.ts';

/** A request that got past the door: who, with what choice, from where. */
export interface Visit {
  readonly request: Request;
  /** The raw query of the URL, with its `?`. */
  readonly search: string;
  readonly principal: Principal;
  readonly choice: Choice;
  /** Called where the answer may take its time, once the request has been read. */
  readonly keepOpen: () => void;
  /** Whether the client had time to go away before its request was looked at. */
  readonly hasWaited: boolean;
  /** Undefined: nobody watches. */
  readonly path: CallPath | undefined;
}

export type RpcRequest = Extract<RpcMessage, { kind: 'request' }>;

export function acceptsStream(headers: Headers): boolean {
  const accept = headers.get('accept');
  return accept?.includes('text/event-stream') === true || accept?.includes('*/*') === true;
}
