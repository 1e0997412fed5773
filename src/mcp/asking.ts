import type { CallContext, PeerAnswer } from '#backends/backend.ts';
import { randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { requestText } from '#wire/json-rpc.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import type { McpCall } from './call.ts';
import { missingCapabilities, parseQuestions, type Question } from './questions.ts';
import type { SessionStates } from './session-state.ts';

/** Of one call that asks one question after the other. */
const MAX_QUESTIONS = 64;

export interface AskingDeps {
  readonly sessions: SessionStates;
  /** Longest wait for a user's answer on a legacy stream. */
  readonly maxWaitMs: number;
}

/** Whether this client can be asked on the stream of its own call (R29). */
export function canAskOnStream({ era, reply, session }: McpCall): boolean {
  return era === 'legacy' && reply.canStream && session !== undefined;
}

/**
 * How a server asks in the middle of a legacy client's call. What the client did not declare, or cannot be asked, is
 * refused at once and never asked. Modern clients cannot be asked so: undefined.
 */
export function askerOf(deps: AskingDeps, call: McpCall): CallContext['ask'] {
  if (call.era !== 'legacy') return undefined;
  let asked = 0;
  return async ({ method, params }) => {
    const known = parseQuestions({ question: { method, params } });
    const [question] = known.ok ? known.value : [];
    if (question === undefined)
      return refusal(rpcErrors.methodNotFound, `Method not found: ${method.slice(0, 128)}`);
    const isUndeclared = missingCapabilities([question], call.client.capabilities) !== undefined;
    if (isUndeclared || !canAskOnStream(call)) {
      return refusal(rpcErrors.invalidParams, 'The client did not declare that it can be asked this');
    }
    asked += 1;
    if (asked > MAX_QUESTIONS) return refusal(rpcErrors.invalidRequest, 'Too many questions in one call');
    return askOne(deps, call, question);
  };
}

function refusal(code: number, message: string): PeerAnswer {
  return { result: undefined, error: { code, message } };
}

/** Asks every question on the call's own stream and waits for the posted answers. */
export async function askOnStream(
  deps: AskingDeps,
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

function askOne(deps: AskingDeps, call: McpCall, question: Question): Promise<PeerAnswer> {
  const { session, signal } = call;
  const none: PeerAnswer = { result: undefined, error: undefined };
  if (session === undefined || signal.aborted) return Promise.resolve(none);
  const { questions } = deps.sessions.of(session);
  const id = `cortex-${randomId()}`;
  const { promise, resolve } = Promise.withResolvers<PeerAnswer>();
  const unanswered = () => resolve(none);
  const timer = setTimeout(unanswered, deps.maxWaitMs);
  signal.addEventListener('abort', unanswered, { once: true });
  questions.set(id, resolve);
  if (!call.reply.send(requestText(id, question.method, question.params))) unanswered();
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', unanswered);
    questions.delete(id);
  });
}
