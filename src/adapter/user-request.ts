import type { BackendFailure, CallContext, Exchange } from '#backends/backend.ts';
import type { Breaker, Permit } from '#backends/breaker.ts';
import type { Budget } from '#backends/budget.ts';
import { failure, failureKinds } from '#backends/failures.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { UpstreamAnswer } from './connection.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { isParkId, type Parking } from './parking.ts';
import type { Pool, Seat } from './pool.ts';
import { traceContext } from './trace-context.ts';

/** One of a user's requests, in the server's own words. */
export interface UserRequest {
  readonly method: string;
  readonly params: JsonObject;
  readonly paramHeaders: Readonly<Record<string, string>>;
  readonly isRepeatable: boolean;
}

export type UserAnswer =
  | { readonly kind: 'answered'; readonly answer: UpstreamAnswer }
  | { readonly kind: 'asked'; readonly inputRequests: JsonObject; readonly requestState: string | undefined };

export interface UserRequestOptions {
  readonly id: BackendId;
  readonly timeoutMs: number;
  readonly maxResultBytes: number;
}
export interface UserRequestDeps {
  readonly pool: Pool;
  readonly parking: Parking;
  readonly breaker: Breaker;
  readonly budget: Budget;
  readonly clock: Clock;
}

export type SendUserRequest = (request: UserRequest, context: CallContext) => Promise<Exchange<UserAnswer>>;

/** Makes the one way by which a user's request reaches a server: budget, breaker, connection; or a call that was parked. */
export function createUserRequest(options: UserRequestOptions, deps: UserRequestDeps): SendUserRequest {
  const { pool, parking, breaker, budget, clock } = deps;

  function record(permit: Permit, outcome: Result<UserAnswer, BackendFailure>, hadTime: boolean): void {
    const reason = outcome.ok ? undefined : outcome.error.reason;
    if (reason === 'cancelled' || (reason === 'timeout' && !hadTime)) permit.released();
    else if (reason !== undefined && failureKinds[reason].counts) permit.failed();
    else permit.succeeded();
  }

  /** Until the server answers or somebody has to be asked elsewhere. */
  async function converse(
    conversation: Conversation,
    request: UserRequest,
    context: CallContext,
  ): Promise<Result<UserAnswer, BackendFailure>> {
    conversation.attach(context);
    const turn = await conversation.next();
    conversation.detach();
    if (turn.kind === 'answered') {
      if (!turn.outcome.ok) return turn.outcome;
      const answer = turn.outcome.value;
      const missed = context.ask === undefined && hasFailed(answer) ? conversation.declined() : undefined;
      if (missed === undefined) return ok({ kind: 'answered', answer });
      // What the call failed for lack of: the edge refuses it, and names the capability.
      const { method, params } = missed;
      return ok({ kind: 'asked', inputRequests: { needed: { method, params } }, requestState: undefined });
    }
    const inputRequests = conversation.questions();
    const requestState = parking.park({
      conversation,
      principal: context.principal,
      target: targetOf(request),
    });
    if (requestState !== undefined) return ok({ kind: 'asked', inputRequests, requestState });
    conversation.cancel();
    return err(
      failure('busy', { message: 'Too many calls wait for an answer of the user; try again later.' }),
    );
  }

  async function begin(
    seat: Seat,
    request: UserRequest,
    context: CallContext,
    deadline: number,
  ): Promise<Result<UserAnswer, BackendFailure>> {
    const timeoutMs = deadline - clock.monotonic();
    if (timeoutMs <= 0) return err(failure('busy'));
    const permit = breaker.admit();
    if (!permit.ok) return err(breakerOpen(permit.error));
    const conversation = createConversation(
      seat.connection,
      {
        ...request,
        caller: context.principal.key,
        capabilities: context.clientCapabilities,
        wantsProgress: context.onProgress !== undefined,
        logLevel: context.onLog === undefined ? undefined : context.logLevel,
        trace: traceContext(context.trace),
        maxBytes: options.maxResultBytes,
      },
      timeoutMs,
      clock,
    );
    const outcome = await converse(conversation, request, context);
    record(permit.value, outcome, timeoutMs >= options.timeoutMs / 2);
    return outcome;
  }

  return async (request, context) => {
    let seat: Seat | undefined;
    const exchange = (outcome: Result<UserAnswer, BackendFailure>): Exchange<UserAnswer> => ({
      outcome,
      backend: options.id,
      mode: seat?.connection.mode(),
      answerBytes: outcome.ok && outcome.value.kind === 'answered' ? outcome.value.answer.bytes : 0,
    });
    if (context.signal.aborted) return exchange(err(failure('cancelled')));
    const { requestState, principal } = context;
    seat = pool.seat(principal);
    if (requestState !== undefined && isParkId(requestState)) {
      const conversation = parking.take(requestState, principal.key, targetOf(request));
      if (conversation === undefined) return exchange(err(failure('state_lost')));
      conversation.answer(context.inputResponses);
      return exchange(await converse(conversation, request, context));
    }
    if (seat === undefined) return exchange(err(failure('busy')));
    const waitMs = breaker.waitMs();
    if (waitMs > 0) return exchange(err(breakerOpen(waitMs)));
    const timeoutMs = Math.min(context.timeoutMs ?? options.timeoutMs, limits.maxCallTimeoutMs);
    const deadline = clock.monotonic() + timeoutMs;
    const place = await budget.acquire(principal.key, context.signal, timeoutMs);
    if (!place.ok) return exchange(err(failure(place.error)));
    try {
      return exchange(await begin(seat, request, context, deadline));
    } finally {
      budget.release(principal.key);
    }
  };
}

function hasFailed({ response: { message } }: UpstreamAnswer): boolean {
  return message.kind === 'response' && (message.error !== undefined || message.result?.isError === true);
}

/** What a retry must agree in. The edge binds the arguments, too; here it is the last line. */
function targetOf({ method, params }: UserRequest): string {
  const { name, uri } = params;
  return JSON.stringify([method, name ?? uri ?? null]);
}

function breakerOpen(waitMs: number): BackendFailure {
  return failure('breaker_open', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
}
