import type { Answer, CallContext, Exchange } from '#backends/backend.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type AskingDeps, askerOf, askOnStream, canAskOnStream } from './asking.ts';
import type { McpCall, ResultBody } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import { answerToLink, answerWithLink, type LinkAnswer } from './link-answer.ts';
import { missingCapabilities, parseInputResponses, parseQuestions } from './questions.ts';
import type { Refusal } from './refusal.ts';
import { callContext } from './relay.ts';
import type { Carried, RequestStates, StateBinding } from './request-state.ts';

/** A backend that asks again and again is stopped after this many rounds. */
const MAX_ROUNDS = 16;

export interface InteractiveDeps extends AskingDeps {
  readonly states: RequestStates;
}

/** What became of a call that may ask the user something. */
export type Interaction =
  | { readonly kind: 'exchange'; readonly exchange: Exchange<Answer> }
  | { readonly kind: 'ask'; readonly body: ResultBody; readonly exchange: Exchange<Answer> }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly exchange: Exchange<Answer> | undefined }
  | { readonly kind: 'bad_question'; readonly message: string; readonly exchange: Exchange<Answer> }
  | { readonly kind: 'unlinked'; readonly link: LinkAnswer; readonly exchange: Exchange<Answer> };

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
  deps: Pick<EdgeDeps, 'interactive' | 'links' | 'linkWaits'>,
  call: McpCall,
  binding: StateBinding,
  send: (context: CallContext) => Promise<Exchange<Answer>>,
): Promise<Interaction> {
  const retry = readRetry(deps.interactive, call, binding);
  if (!retry.ok) return { kind: 'refused', refusal: retry.error, exchange: undefined };
  const { said } = retry.value;
  const waitUntilMs = said === 'opened' ? deps.linkWaits.deadline() : 0;
  const ask = askerOf(deps.interactive, call);
  let { inputResponses, requestState } = retry.value;
  for (let round = 1; ; round++) {
    const carried = { inputResponses, requestState };
    let exchange = await send(callContext(call, carried, ask));
    call.path?.passed('backend');
    const { backend } = exchange;
    // The user has just opened the page: the account may be linked any moment.
    while (
      needsLink(exchange) &&
      (await deps.linkWaits.mayBeLinked(call.principal, backend, call.signal, waitUntilMs))
    ) {
      exchange = await send(callContext(call, carried, ask));
    }
    const { outcome } = exchange;
    if (needsLink(exchange)) {
      const link = await answerWithLink(deps, call, backend, { binding, carried, said });
      return { kind: 'unlinked', link, exchange };
    }
    if (!outcome.ok && outcome.error.reason === 'state_lost') {
      return { kind: 'refused', refusal: { reason: 'state_invalid' }, exchange };
    }
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
      return { kind: 'ask', body: askBody(deps.interactive, binding, asked), exchange };
    }
    if (required !== undefined || !canAskOnStream(call)) {
      return {
        kind: 'bad_question',
        message: 'it asks the user something that this client cannot show',
        exchange,
      };
    }
    const answers = await askOnStream(deps.interactive, call, questions.value);
    if (!answers.ok) return { kind: 'bad_question', message: answers.error, exchange };
    inputResponses = answers.value;
    requestState = asked.requestState;
    if (round === MAX_ROUNDS) return { kind: 'bad_question', message: 'it asks without end', exchange };
  }
}

function needsLink({ outcome }: Exchange<Answer>): boolean {
  return !outcome.ok && outcome.error.reason === 'link_required';
}

interface Retry extends Carried {
  /** What the user said to the question of linking an account. */
  readonly said: 'opened' | 'refused' | undefined;
}

/** What a retry brings along, checked against the call that it repeats. */
export function readRetry(
  deps: InteractiveDeps,
  call: McpCall,
  binding: StateBinding,
): Result<Retry, Refusal> {
  const first = { inputResponses: undefined, requestState: undefined, said: undefined };
  if (call.era === 'legacy') return ok(first);
  const responses = parseInputResponses(call.params.inputResponses);
  if (!responses.ok) return err({ reason: 'params_invalid', detail: responses.error });
  const inputResponses = responses.value;
  const sealed = call.params.requestState;
  if (sealed === undefined) return ok({ ...first, inputResponses });
  if (typeof sealed !== 'string') return err({ reason: 'state_invalid' });
  const state = deps.states.open(binding, sealed);
  if (state.ok) return ok({ ...first, inputResponses, requestState: state.value });
  // After a link the call goes on as it came: the answer to our own question is none of the backend's business.
  const carried = deps.states.openLink(binding, sealed);
  return carried.ok ? ok({ ...carried.value, said: answerToLink(inputResponses) }) : carried;
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
