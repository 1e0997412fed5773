import { createEventStream, type EventStream } from './event-stream.ts';
import type { Pulse } from './pulse.ts';

/**
 * The answer to one POST: plain JSON, or an event stream as soon as something has to be said before the result,
 * or when the result takes longer than `patienceMs` (so that no proxy takes the silence for a dead connection).
 */
export interface Reply {
  readonly response: Promise<Response>;
  /** Whether the client accepts an event stream. */
  readonly canStream: boolean;
  readonly isStreaming: boolean;
  /** Sends a notification or request ahead of the result. False: it cannot be delivered. */
  send(json: string): boolean;
  /** Ends with one JSON-RPC message. On a stream the status and headers are already gone. */
  finish(json: string, status: number, headers: Readonly<Record<string, string>>): void;
  /** Ends without a message: 202 where nothing was sent yet. */
  finishEmpty(): void;
}

export interface ReplyDeps {
  readonly pulse: Pulse;
  readonly quietMs: number;
  readonly patienceMs: number;
  readonly canStream: boolean;
  /** The client closed an open stream. */
  readonly onGone: () => void;
}

export function createReply(deps: ReplyDeps): Reply {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const startedMs = deps.pulse.now();
  let stream: EventStream | undefined;
  let isDone = false;

  const member = {
    beat(nowMs: number) {
      if (nowMs - startedMs >= deps.patienceMs) open();
    },
  };
  if (deps.canStream) deps.pulse.add(member);

  function open(): EventStream | undefined {
    if (stream !== undefined || isDone || !deps.canStream) return stream;
    deps.pulse.delete(member);
    stream = createEventStream(deps.pulse, deps.quietMs, deps.onGone);
    resolve(stream.response);
    return stream;
  }

  function end(): boolean {
    if (isDone) return false;
    isDone = true;
    deps.pulse.delete(member);
    return true;
  }

  return {
    response: promise,
    canStream: deps.canStream,
    get isStreaming() {
      return stream !== undefined;
    },
    send(json) {
      if (isDone) return false;
      return open()?.send(json) ?? false;
    },
    finish(json, status, headers) {
      if (!end()) return;
      if (stream !== undefined) {
        stream.send(json);
        stream.close();
        return;
      }
      resolve(
        new Response(json, {
          status,
          headers: { 'content-type': 'application/json', ...headers },
        }),
      );
    },
    finishEmpty() {
      if (!end()) return;
      if (stream !== undefined) stream.close();
      else resolve(new Response(null, { status: 202 }));
    },
  };
}
