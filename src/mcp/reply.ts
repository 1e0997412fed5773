import { createEventStream, type EventStream } from './event-stream.ts';
import { jsonResponse } from './json-response.ts';
import type { Pulse, Pulsed } from './pulse.ts';

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
  finish(json: string, status: number, headers: Readonly<Record<string, string>> | undefined): void;
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
  return new CallReply(deps);
}

class CallReply implements Reply, Pulsed {
  readonly response: Promise<Response>;
  readonly canStream: boolean;
  readonly #deps: ReplyDeps;
  readonly #resolve: (response: Response) => void;
  readonly #startedMs: number;
  #stream: EventStream | undefined;
  #isDone = false;

  constructor(deps: ReplyDeps) {
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.canStream = deps.canStream;
    this.#deps = deps;
    this.#resolve = resolve;
    this.#startedMs = deps.pulse.now();
    if (deps.canStream) deps.pulse.add(this);
  }

  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  beat(nowMs: number): void {
    if (nowMs - this.#startedMs >= this.#deps.patienceMs) this.#open();
  }

  send(json: string): boolean {
    if (this.#isDone) return false;
    return this.#open()?.send(json) ?? false;
  }

  finish(json: string, status: number, headers: Readonly<Record<string, string>> | undefined): void {
    if (!this.#end()) return;
    if (this.#stream === undefined) return void this.#resolve(jsonResponse(json, status, headers));
    this.#stream.send(json);
    this.#stream.close();
  }

  finishEmpty(): void {
    if (!this.#end()) return;
    if (this.#stream !== undefined) this.#stream.close();
    else this.#resolve(new Response(null, { status: 202 }));
  }

  #open(): EventStream | undefined {
    const { pulse, quietMs, onGone } = this.#deps;
    if (this.#stream !== undefined || this.#isDone || !this.canStream) return this.#stream;
    pulse.delete(this);
    this.#stream = createEventStream(pulse, quietMs, onGone);
    this.#resolve(this.#stream.response);
    return this.#stream;
  }

  #end(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    if (this.canStream) this.#deps.pulse.delete(this);
    return true;
  }
}
