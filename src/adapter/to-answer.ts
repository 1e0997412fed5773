import type { Answer, BackendFailure, CallContext, CompletionValues, Exchange } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { parseCompletion } from '#contract/parse-completion.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { type AnswerMethod, readAnswer } from './results.ts';
import { rpcFailure } from './rpc-failure.ts';
import type { Uris } from './uris.ts';
import { askToVisit } from './url-elicitation.ts';
import type { UserAnswer } from './user-request.ts';

/** What a server said to a call, a read or a prompt, in the words of the port. */
export function toAnswer(
  made: Exchange<UserAnswer>,
  method: AnswerMethod,
  context: CallContext,
  uris: Uris,
): Exchange<Answer> {
  if (!made.outcome.ok) return { ...made, outcome: made.outcome };
  const { value } = made.outcome;
  if (value.kind === 'asked') {
    const { inputRequests, requestState } = value;
    return { ...made, outcome: ok({ kind: 'input_required', inputRequests, requestState }) };
  }
  const { agreed, response } = value.answer;
  const { result, error } = responseOf(value);
  if (result === undefined) return { ...made, outcome: refusal(error ?? {}, context, uris) };
  return { ...made, outcome: readAnswer({ text: response.text, result }, method, agreed.era, uris) };
}

/** What a server said to a completion. */
export function toCompletion(made: Exchange<UserAnswer>): Exchange<CompletionValues> {
  if (!made.outcome.ok) return { ...made, outcome: made.outcome };
  const { result, error } = responseOf(made.outcome.value);
  if (result === undefined) return { ...made, outcome: err(rpcFailure(error ?? {})) };
  const parsed = parseCompletion(result.completion);
  return { ...made, outcome: parsed.ok ? parsed : err(failure('not_json')) };
}

/** Whether the server found that the headers do not fit its tool (R41). */
export function isHeaderMismatch({ outcome }: Exchange<UserAnswer>): boolean {
  return outcome.ok && responseOf(outcome.value).error?.code === rpcErrors.headerMismatch;
}

interface Response {
  readonly result: JsonObject | undefined;
  readonly error: JsonObject | undefined;
}

function responseOf(value: UserAnswer): Response {
  const message = value.kind === 'answered' ? value.answer.response.message : undefined;
  return message?.kind === 'response' ? message : { result: undefined, error: undefined };
}

function refusal(error: JsonObject, context: CallContext, uris: Uris): Result<Answer, BackendFailure> {
  if (error.code === rpcErrors.urlElicitationRequired) {
    return askToVisit(error, context.clientCapabilities, context.ask !== undefined);
  }
  const said = rpcFailure(error);
  // What is listed is offered: such an error is of something that the server tried in turn.
  const why: BackendFailure = said.reason === 'unsupported' ? { ...said, reason: 'business_error' } : said;
  const { body } = why;
  if (!isJsonObject(body) || typeof body.uri !== 'string') return err(why);
  return err({ ...why, body: { ...body, uri: uris.toPublic(body.uri) } });
}
