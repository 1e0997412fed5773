import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import { err, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { type Attempt, type AttemptOptions, createAttempt, type UserRequest } from './attempt.ts';
import type {
  BackendFailure,
  CallContext,
  Exchange,
  IdentityMode,
  IdentityResolver,
  ResolvedIdentity,
} from './backend.ts';
import type { Breaker, Permit } from './breaker.ts';
import type { Budget } from './budget.ts';
import { failure, failureKinds, identityFailure } from './failures.ts';

export interface UserCallOptions extends AttemptOptions {
  readonly mode: IdentityMode;
  readonly timeoutMs: number;
}

export interface UserCallDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  readonly breaker: Breaker;
  readonly budget: Budget;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** `read` makes of the outcome what the caller asked for. */
export type UserCall = <T>(
  request: UserRequest,
  context: CallContext,
  read: (outcome: Attempt['outcome']) => Result<T, BackendFailure>,
) => Promise<Exchange<T>>;

const retryPauseMs = 50;
const retryJitterMs = 100;

/**
 * Makes the one way by which a user's call reaches a backend: identity, breaker, budget, then at most two attempts
 * within one deadline. The second is made only where no byte was sent or the request is repeatable.
 */
export function createUserCall(options: UserCallOptions, deps: UserCallDeps): UserCall {
  const { breaker, budget, clock } = deps;
  const enoughMs = Math.min(options.timeoutMs, limits.maxCallTimeoutMs) / 2;
  const attempt = createAttempt(options, deps.outbound, clock);
  const identityTarget = { backend: options.id, mode: options.mode, url: options.url };

  function record(permit: Permit, outcome: Attempt['outcome'], hadTime: boolean): void {
    const reason = outcome.ok ? undefined : outcome.error.reason;
    // Too little time, by the caller's choice or after waiting for a place, says nothing about the backend.
    if (reason === 'cancelled' || (reason === 'timeout' && !hadTime)) permit.released();
    else if (reason !== undefined && failureKinds[reason].counts) permit.failed();
    else permit.succeeded();
  }

  async function attempts(
    request: UserRequest,
    body: string,
    identity: ResolvedIdentity,
    context: CallContext,
    deadline: number,
  ): Promise<Attempt> {
    let last: Attempt | undefined;
    for (;;) {
      const remainingMs = deadline - clock.monotonic();
      if (remainingMs <= 0) return last ?? refusedAttempt(failure('busy'));
      const permit = breaker.admit();
      if (!permit.ok) return last ?? refusedAttempt(breakerOpen(permit.error));
      const current = await attempt(request, body, identity, context, remainingMs);
      record(permit.value, current.outcome, remainingMs >= enoughMs);
      if (last !== undefined || !current.isRetryable) return current;
      last = current;
      const pauseMs = retryPauseMs + deps.random() * retryJitterMs;
      if (deadline - clock.monotonic() <= pauseMs) return current;
      await Bun.sleep(pauseMs);
      if (context.signal.aborted) return refusedAttempt(failure('cancelled'));
    }
  }

  return async (request, context, read) => {
    let mode: IdentityMode | undefined;
    const done = (outcome: Attempt['outcome'], answerBytes: number) => {
      return { outcome: read(outcome), backend: options.id, mode, answerBytes };
    };
    const refused = (why: BackendFailure) => done(err(why), 0);
    const timeoutMs = Math.min(context.timeoutMs ?? options.timeoutMs, limits.maxCallTimeoutMs);
    const deadline = clock.monotonic() + timeoutMs;
    if (context.signal.aborted) return refused(failure('cancelled'));
    const body = JSON.stringify({ method: request.method, params: request.params });
    if (body.length > limits.maxRequestBodyBytes) {
      return refused(failure('invalid', { message: 'The arguments are too large.' }));
    }
    const resolved = deps.identity.resolve(context.principal, identityTarget);
    const identity = resolved instanceof Promise ? await resolved : resolved;
    if (!identity.ok) return refused(identityFailure(identity.error));
    mode = identity.value.mode;
    context.path?.passed('identity');
    const waitMs = breaker.waitMs();
    if (waitMs > 0) return refused(breakerOpen(waitMs));
    context.path?.passed('breaker');
    const acquired = budget.acquire(context.principal.key, context.signal, deadline - clock.monotonic());
    const place = acquired instanceof Promise ? await acquired : acquired;
    if (!place.ok) return refused(failure(place.error));
    context.path?.passed('connection');
    try {
      let made = await attempts(request, body, identity.value, context, deadline);
      if (isRefusedToken(made) && options.mode === 'exchange') {
        // It may have been revoked meanwhile: with another one the call has still not been made.
        const other = await deps.identity.rejected?.(context.principal, identityTarget, identity.value);
        if (other?.ok) made = await attempts(request, body, other.value, context, deadline);
      }
      return done(made.outcome, made.bytes);
    } finally {
      budget.release(context.principal.key);
    }
  };
}

function isRefusedToken({ outcome }: Attempt): boolean {
  return !outcome.ok && outcome.error.reason === 'token_refused';
}

function refusedAttempt(why: BackendFailure): Attempt {
  return { outcome: err(why), bytes: 0, isRetryable: false };
}

function breakerOpen(waitMs: number): BackendFailure {
  return failure('breaker_open', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
}
