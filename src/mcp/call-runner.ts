import { Cancellation } from '#kernel/cancellation.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import { type McpCall, newFacts } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import type { Dispatcher } from './dispatch.ts';
import { type CallInFlight, createInFlight, revoked } from './in-flight.ts';
import type { Pulse, Pulsed } from './pulse.ts';
import type { RefuseDenied } from './refuse-denied.ts';
import { createReply } from './reply.ts';
import { readTrace } from './trace.ts';
import type { RpcRequest, Visit } from './visit.ts';

/** Makes a call of a request and runs it; what differs between the eras comes with it. */
export interface CallRunner {
  run(visit: Visit, message: RpcRequest, requestBytes: number, of: CallKind): Promise<Response>;
  /** Aborts what runs for a token that is denied; returns how many. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
  /** Resolves when no call is in flight, or after `timeoutMs`; then the rest is aborted. */
  drain(timeoutMs: number): Promise<void>;
}

export interface CallKind extends Pick<McpCall, 'era' | 'revision' | 'client' | 'session'> {
  /** Whether the client accepts an event stream. */
  readonly canStream: boolean;
}

export function createCallRunner(
  deps: EdgeDeps,
  wiring: { readonly dispatcher: Dispatcher; readonly pulse: Pulse; readonly refuseDenied: RefuseDenied },
): CallRunner {
  const inFlight = createInFlight();
  const watching = { pulse: wiring.pulse, isStillGood: deps.isStillGood };

  return {
    run(visit, message, requestBytes, { era, revision, client, session, canStream }) {
      const { request, principal, choice, search, path } = visit;
      path?.passed(era === 'modern' ? 'envelope' : 'session');
      // From here on a denial aborts the call; it may have come while the request was still being read.
      const denied = wiring.refuseDenied(visit, message.id, era);
      if (denied !== undefined) return Promise.resolve(denied);
      // A disconnect is a cancel in the modern era only (R14).
      const running = new RunningCall(visit, era === 'modern', watching);
      const { cancellation } = running;
      if (visit.hasWaited) running.watch();
      const reply = createReply({
        pulse: wiring.pulse,
        quietMs: limits.keepAliveMs,
        patienceMs: limits.replyPatienceMs,
        canStream,
        onGone: () => running.leave(),
      });
      const { id, method, params } = message;
      const state = session && deps.sessionStates.of(session);
      // An id used twice at a time is the client's mistake: the first call keeps it.
      if (state?.inFlight.has(id) === false) state.inFlight.set(id, cancellation);
      const call: McpCall = {
        era,
        revision,
        client,
        session,
        id,
        method,
        params,
        principal,
        choice,
        search,
        snapshot: deps.snapshot(),
        headers: request.headers,
        trace: readTrace(request.headers, params),
        signal: cancellation,
        reply,
        facts: newFacts(),
        path,
      };
      inFlight.add(running);
      void wiring.dispatcher.run(call, requestBytes).then(() => {
        inFlight.delete(running);
        if (state?.inFlight.get(id) === cancellation) state.inFlight.delete(id);
        running.end();
      });
      return reply.response;
    },
    endDenied: inFlight.endDenied,
    drain: (timeoutMs) => inFlight.drain(timeoutMs),
  };
}

interface Watching {
  readonly pulse: Pulse;
  readonly isStillGood: EdgeDeps['isStillGood'];
}

/** What cancels a call: its client's going away where that means so, a notification, the end of its token or the gateway. */
class RunningCall implements CallInFlight, Pulsed {
  readonly cancellation = new Cancellation();
  readonly #visit: Visit;
  readonly #isOverWhenGone: boolean;
  readonly #watching: Watching;
  #watched: AbortSignal | undefined;
  #onLeave: (() => void) | undefined;

  get principal(): Principal {
    return this.#visit.principal;
  }

  constructor(visit: Visit, isOverWhenGone: boolean, watching: Watching) {
    this.#visit = visit;
    this.#watching = watching;
    this.#isOverWhenGone = isOverWhenGone;
  }

  watch(): void {
    this.#visit.keepOpen();
    this.#watching.pulse.add(this);
    if (!this.#isOverWhenGone || this.#watched !== undefined) return;
    this.#watched = this.#visit.request.signal;
    if (this.#watched.aborted) return void this.leave();
    this.#onLeave = () => this.leave();
    this.#watched.addEventListener('abort', this.#onLeave);
  }

  /** A call that lasts is asked about as a new one would be. */
  beat(): void {
    const isGood = this.#watching.isStillGood(this.principal);
    if (isGood === true) return;
    void isGood.then((confirmed) => {
      if (!confirmed) this.abort(revoked);
    });
  }

  leave(): void {
    if (this.#isOverWhenGone) this.cancellation.abort('client gone');
  }

  abort(reason: string): void {
    this.cancellation.abort(reason);
  }

  end(): void {
    this.#watching.pulse.delete(this);
    if (this.#onLeave !== undefined) this.#watched?.removeEventListener('abort', this.#onLeave);
  }
}
