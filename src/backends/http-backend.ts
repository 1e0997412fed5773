import { parseCompletion } from '#contract/parse-completion.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import { createVerifier } from '#keys/signer.ts';
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
import { createPassingMarks, createSignedLists, type SignedLists, type SignedMarks } from './signed-list.ts';
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
  /** The Ed25519 keys of which one signs each list, 32 bytes as base64url. Undefined or empty: lists need no signature. */
  readonly catalogKeys?: readonly string[];
}

export interface HttpBackendDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  readonly clock: Clock;
  /** From 0 to 1: spreads the retries. */
  readonly random: () => number;
  /** Where it is kept when each signed list was signed. Undefined: in memory. */
  readonly signedMarks?: SignedMarks;
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
  const discover = createDiscover(
    technical,
    deps.clock,
    options.maxDefinitions ?? limits.maxToolsPerBackend,
    signedLists(options, deps),
  );
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

function signedLists(
  { catalogKeys = [] }: HttpBackendOptions,
  deps: HttpBackendDeps,
): SignedLists | undefined {
  if (catalogKeys.length === 0) return undefined;
  const keys = createVerifier(catalogKeys);
  if (!keys.ok) throw new Error('a catalog key that is none');
  return createSignedLists(keys.value, deps.signedMarks ?? createPassingMarks(), () => deps.clock.now());
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
