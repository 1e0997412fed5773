import { parseCompletion } from '#contract/parse-completion.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { type AnswerBody, toAnswer } from './answer-body.ts';
import type {
  Answer,
  Backend,
  BackendFailure,
  CallContext,
  Exchange,
  IdentityMode,
  IdentityResolver,
} from './backend.ts';
import { type BreakerOptions, createBreaker } from './breaker.ts';
import { createBudget } from './budget.ts';
import { createDiscover } from './discover.ts';
import { failure } from './failures.ts';
import { createTechnicalRequest } from './technical-request.ts';
import { isUnknownMethod } from './unknown-method.ts';
import { createUserCall } from './user-call.ts';

export interface HttpBackendOptions {
  readonly id: BackendId;
  /** The endpoint, path included. */
  readonly url: string;
  readonly technicalToken: Secret | undefined;
  readonly mode: IdentityMode;
  /** Of a call; at most `limits.maxCallTimeoutMs`. */
  readonly timeoutMs: number;
  /** Of each list method. */
  readonly pollTimeoutMs?: number;
  readonly maxResultBytes: number;
  readonly maxCatalogBytes?: number;
  readonly maxDefinitions?: number;
  readonly maxConnections: number;
  readonly maxQueued?: number;
  /** Whether the backend keeps its own tickets. */
  readonly tickets: boolean;
  /** `cortex-gateway/<version>`. */
  readonly userAgent: string;
  readonly breaker?: BreakerOptions;
}

export interface HttpBackendDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  readonly clock: Clock;
  /** From 0 to 1: spreads the retries. */
  readonly random: () => number;
}

/** An application that speaks the backend contract (docs/contract.md). */
export function createHttpBackend(options: HttpBackendOptions, deps: HttpBackendDeps): Backend {
  const { id, url, userAgent } = options;
  const breaker = createBreaker(deps.clock, options.breaker);
  const budget = createBudget(options.maxConnections, options.maxQueued ?? limits.maxQueuedCallsPerBackend);
  const technical = createTechnicalRequest(
    {
      id,
      url,
      userAgent,
      technicalToken: options.technicalToken,
      timeoutMs: options.pollTimeoutMs ?? limits.pollTimeoutMs,
      maxBytes: options.maxCatalogBytes ?? limits.maxCatalogBytes,
    },
    deps.outbound,
  );
  const discover = createDiscover(technical, deps.clock, options.maxDefinitions ?? limits.maxToolsPerBackend);
  const send = createUserCall(
    {
      id,
      url,
      userAgent,
      mode: options.mode,
      timeoutMs: options.timeoutMs,
      maxResultBytes: options.maxResultBytes,
    },
    { ...deps, breaker, budget },
  );

  function method<T>(
    name: string,
    params: JsonObject,
    context: CallContext,
    isRepeatable: boolean,
    read: (body: AnswerBody) => Result<T, BackendFailure>,
  ): Promise<Exchange<T>> {
    return send({ method: name, params, kind: undefined, isRepeatable }, context, (outcome) => {
      if (outcome.ok) return read(outcome.value);
      return err(isUnknownMethod(outcome.error, name) ? unsupported(outcome.error) : outcome.error);
    });
  }

  return {
    id,
    discover,
    call({ name, arguments: args, isRepeatable }, context) {
      const params = withInputs(args, context);
      return send({ method: name, params, kind: 'tool', isRepeatable }, context, toolAnswer);
    },
    read: (uri, context) =>
      method('read_resource', withInputs({ uri }, context), context, true, (body) =>
        toAnswer(body, 'contents'),
      ),
    prompt: (name, args, context) =>
      method('get_prompt', withInputs({ name, arguments: args }, context), context, true, (body) =>
        toAnswer(body, 'messages'),
      ),
    complete: (ref, argument, context) =>
      method('complete', { ref, argument }, context, true, (body) => {
        const parsed = parseCompletion(body.value);
        return parsed.ok ? parsed : err(failure('not_json'));
      }),
    help: (topic, context) =>
      method('get_help', topic === undefined ? {} : { topic }, context, true, (body) =>
        toAnswer(body, undefined),
      ),
    whoami: (context) => method('whoami', {}, context, true, anyValue),
    async ticket(name, params, context) {
      if (!options.tickets) {
        return { outcome: err(failure('unsupported')), backend: id, mode: undefined, answerBytes: 0 };
      }
      return method(name, params, context, name === 'list_tickets', anyValue);
    },
    health: () => ({ breaker: breaker.state(), inFlight: budget.inFlight() }),
    async close() {
      budget.close();
    },
  };
}

/** The answers to an earlier question ride in `params` beside the arguments. */
function withInputs(params: JsonObject, context: CallContext): JsonObject {
  const { inputResponses, requestState } = context;
  if (inputResponses === undefined && requestState === undefined) return params;
  return {
    ...params,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

function toolAnswer(outcome: Result<AnswerBody, BackendFailure>): Result<Answer, BackendFailure> {
  return outcome.ok ? toAnswer(outcome.value, undefined) : outcome;
}

function anyValue(body: AnswerBody): Result<JsonValue, BackendFailure> {
  return ok(body.value);
}

function unsupported(refused: BackendFailure): BackendFailure {
  return failure('unsupported', { status: refused.status });
}
