import { limits } from '#kernel/limits.ts';
import { type McpCall, newFacts } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import type { Dispatcher } from './dispatch.ts';
import { createInFlight } from './in-flight.ts';
import type { Pulse } from './pulse.ts';
import { createReply } from './reply.ts';
import { readTrace } from './trace.ts';
import type { RpcRequest, Visit } from './visit.ts';

/** Makes a call of a request and runs it; what differs between the eras comes with it. */
export interface CallRunner {
  run(visit: Visit, message: RpcRequest, requestBytes: number, of: CallKind): Promise<Response>;
  /** Resolves when no call is in flight, or after `timeoutMs`; then the rest is aborted. */
  drain(timeoutMs: number): Promise<void>;
}

export interface CallKind extends Pick<McpCall, 'era' | 'revision' | 'client' | 'session'> {
  /** Whether the client accepts an event stream. */
  readonly canStream: boolean;
}

export function createCallRunner(
  deps: EdgeDeps,
  wiring: { readonly dispatcher: Dispatcher; readonly pulse: Pulse },
): CallRunner {
  const inFlight = createInFlight();

  return {
    run(visit, message, requestBytes, { era, revision, client, session, canStream }) {
      const { request, principal, choice, search } = visit;
      const abort = new AbortController();
      const isModern = era === 'modern';
      const cancel = () => abort.abort('client gone');
      // A disconnect is a cancel in the modern era only (R14).
      if (isModern) request.signal.addEventListener('abort', cancel);
      if (isModern && request.signal.aborted) cancel();
      const reply = createReply({
        pulse: wiring.pulse,
        quietMs: limits.keepAliveMs,
        patienceMs: limits.replyPatienceMs,
        canStream,
        onGone: isModern ? cancel : () => {},
      });
      const { id, method, params } = message;
      const state = session && deps.sessionStates.of(session);
      // An id used twice at a time is the client's mistake: the first call keeps it.
      if (state?.inFlight.has(id) === false) state.inFlight.set(id, abort);
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
        signal: abort.signal,
        reply,
        facts: newFacts(),
      };
      inFlight.add(abort);
      void wiring.dispatcher.run(call, requestBytes).then(() => {
        inFlight.delete(abort);
        if (state?.inFlight.get(id) === abort) state.inFlight.delete(id);
        if (isModern) request.signal.removeEventListener('abort', cancel);
      });
      return reply.response;
    },
    drain: (timeoutMs) => inFlight.drain(timeoutMs),
  };
}
