import type { Answer, CallContext, Exchange, PeerAnswer } from '#backends/backend.ts';
import { randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { requestText } from '#wire/json-rpc.ts';
import type { McpCall, ResultBody } from './call.ts';
import { missingCapabilities, parseInputResponses, parseQuestions, type Question } from './questions.ts';
import type { Refusal } from './refusal.ts';
import { callContext } from './relay.ts';
import type { RequestStates, StateBinding } from './request-state.ts';
import type { SessionStates } from './session-state.ts';

/** A backend that asks again and again is stopped after this many rounds. */
const MAX_ROUNDS = 16;

export interface InteractiveDeps {
  readonly states: RequestStates;
  readonly sessions: SessionStates;
  /** Longest wait for a user's answer on a legacy stream. */
  readonly maxWaitMs: number;
}

/** What became of a call that may ask the user something. */
export type Interaction =
  | { readonly kind: 'exchange'; readonly exchange: Exchange<Answer> }
  | { readonly kind: 'ask'; readonly body: ResultBody; readonly exchange: Exchange<Answer> }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly exchange: Exchange<Answer> | undefined }
  | { readonly kind: 'bad_question'; readonly message: string; readonly exchange: Exchange<Answer> };

type InputRequired = Extract<Answer, { kind: 'input_required' }>;

function askedBy(exchange: Exchange<Answer>): InputRequired | undefined {
  const { outcome } = exchange;
  return outcome.ok && outcome.value.kind === 'input_required' ? outcome.value : undefined;
}

/**
 * Runs a tools/call, prompts/get or resources/read that may answer `input_required`. A modern client gets the
 * questions and a sealed state (mcp R27, R28); a legacy client is asked on the stream of its own POST (R29), and the
 * backend is called again with the answers.
 */
export async function interact(
  deps: InteractiveDeps,
  call: McpCall,
  binding: StateBinding,
  send: (context: CallContext) => Promise<Exchange<Answer>>,
): Promise<Interaction> {
  const retry = readRetry(deps, call, binding);
  if (!retry.ok) return { kind: 'refused', refusal: retry.error, exchange: undefined };
  let { inputResponses, requestState } = retry.value;
  for (let round = 1; ; round++) {
    const exchange = await send(callContext(call, { inputResponses, requestState }));
    const asked = askedBy(exchange);
    if (asked === undefined) return { kind: 'exchange', exchange };
    if (asked.inputRequests === undefined && asked.requestState === undefined) {
      return { kind: 'bad_question', message: 'it asks for input and says not which', exchange };
    }
    const questions = parseQuestions(asked.inputRequests);
    if (!questions.ok) return { kind: 'bad_question', message: questions.error, exchange };
    const required = missingCapabilities(questions.value, call.client.capabilities);
    if (call.era === 'modern') {
      if (required !== undefined) {
        return { kind: 'refused', refusal: { reason: 'capability_missing', required }, exchange };
      }
      return { kind: 'ask', body: askBody(deps, binding, asked), exchange };
    }
    if (required !== undefined || !call.reply.canStream || call.session === undefined) {
      return {
        kind: 'bad_question',
        message: 'it asks the user something that this client cannot show',
        exchange,
      };
    }
    const answers = await askOnStream(deps, call, questions.value);
    if (!answers.ok) return { kind: 'bad_question', message: answers.error, exchange };
    inputResponses = answers.value;
    requestState = asked.requestState;
    if (round === MAX_ROUNDS) return { kind: 'bad_question', message: 'it asks without end', exchange };
  }
}

function readRetry(
  deps: InteractiveDeps,
  call: McpCall,
  binding: StateBinding,
): Result<{ inputResponses: JsonObject | undefined; requestState: string | undefined }, Refusal> {
  if (call.era === 'legacy') return ok({ inputResponses: undefined, requestState: undefined });
  const responses = parseInputResponses(call.params.inputResponses);
  if (!responses.ok) return err({ reason: 'params_invalid', detail: responses.error });
  const sealed = call.params.requestState;
  if (sealed === undefined) return ok({ inputResponses: responses.value, requestState: undefined });
  if (typeof sealed !== 'string') return err({ reason: 'state_invalid' });
  const state = deps.states.open(binding, sealed);
  if (!state.ok) return state;
  return ok({ inputResponses: responses.value, requestState: state.value });
}

function askBody(deps: InteractiveDeps, binding: StateBinding, asked: InputRequired): ResultBody {
  const parts: string[] = [];
  if (asked.inputRequests !== undefined) parts.push(`"inputRequests":${JSON.stringify(asked.inputRequests)}`);
  if (asked.requestState !== undefined) {
    const sealed = deps.states.seal(binding, asked.requestState);
    parts.push(`"requestState":${JSON.stringify(sealed)}`);
  }
  return { members: parts.join(','), meta: undefined, resultType: 'input_required' };
}

/** Asks every question on the call's own stream and waits for the posted answers. */
async function askOnStream(
  deps: InteractiveDeps,
  call: McpCall,
  questions: readonly Question[],
): Promise<Result<JsonObject, string>> {
  const answers: Record<string, JsonObject> = {};
  const settled = await Promise.all(questions.map((question) => askOne(deps, call, question)));
  for (const [index, answer] of settled.entries()) {
    const key = questions[index]?.key;
    if (key === undefined) continue;
    if (answer.result === undefined) return err('the question to the user was not answered');
    answers[key] = answer.result;
  }
  return ok(answers);
}

function askOne(deps: InteractiveDeps, call: McpCall, question: Question): Promise<PeerAnswer> {
  const { session } = call;
  if (session === undefined) return Promise.resolve({ result: undefined, error: undefined });
  const { questions } = deps.sessions.of(session);
  const id = `cortex-${randomId()}`;
  const { promise, resolve } = Promise.withResolvers<PeerAnswer>();
  const unanswered = () => resolve({ result: undefined, error: undefined });
  const timer = setTimeout(unanswered, deps.maxWaitMs);
  call.signal.addEventListener('abort', unanswered, { once: true });
  questions.set(id, resolve);
  if (!call.reply.send(requestText(id, question.method, question.params))) unanswered();
  return promise.finally(() => {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', unanswered);
    questions.delete(id);
  });
}
