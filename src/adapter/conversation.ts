import type { BackendFailure, CallContext, PeerAnswer, PeerQuestion } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, type Result } from '#kernel/result.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { timeIsUp } from './channel.ts';
import type { Connection, UpstreamAnswer, UpstreamRequest } from './connection.ts';
import { mayAsk } from './may-ask.ts';
import { relayNotification } from './relay-notification.ts';

/** What a call came to, for now. */
export type Turn =
  | { readonly kind: 'answered'; readonly outcome: Result<UpstreamAnswer, BackendFailure> }
  /** The server waits for the user, and nobody can be asked at once. */
  | { readonly kind: 'asked' };

/**
 * One call to a server with all that is said in its course: progress, log messages, questions. The caller may leave while
 * a question is open, and another request of the same caller take it up.
 */
export interface Conversation {
  next(): Promise<Turn>;
  /** The questions that wait, by key. */
  questions(): JsonObject;
  /** Whoever attaches hears what comes, and can cancel. */
  attach(context: CallContext): void;
  detach(): void;
  /** The first question that the caller's client did not declare that it can be asked: it was answered with an error. */
  declined(): PeerQuestion | undefined;
  /** Answers by the keys of `questions`; others are ignored. */
  answer(responses: JsonObject | undefined): void;
  cancel(): void;
}

export type ConversationRequest = Omit<
  UpstreamRequest,
  'signal' | 'timeoutMs' | 'onNotification' | 'onQuestion' | 'lane'
>;

interface Pending {
  readonly question: PeerQuestion;
  readonly resolve: (answer: PeerAnswer) => void;
}

/** `timeoutMs` is the server's: the time in which the user is asked does not count. */
export function createConversation(
  connection: Connection,
  request: ConversationRequest,
  timeoutMs: number,
  clock: Clock,
): Conversation {
  const stop = new AbortController();
  const pending = new Map<string, Pending>();
  const canBeAsked = Object.keys(request.capabilities).length > 0;
  let context: CallContext | undefined;
  let declined: PeerQuestion | undefined;
  let asked = 0;
  let open = 0;
  let relayed = 0;
  let leftMs = timeoutMs;
  let runsSince = clock.monotonic();
  let isLate = false;
  let timer = setTimeout(late, leftMs);
  let wake = Promise.withResolvers<void>();
  let turn: Turn | undefined;

  function late(): void {
    isLate = true;
    stop.abort(timeIsUp);
  }
  function pauseClock(): void {
    if (open++ > 0) return;
    clearTimeout(timer);
    leftMs -= clock.monotonic() - runsSince;
  }
  function resumeClock(): void {
    if (--open > 0 || turn !== undefined) return;
    runsSince = clock.monotonic();
    timer = setTimeout(late, Math.max(1, leftMs));
  }
  function cancel(): void {
    stop.abort();
  }

  /** Asks at once where that is possible; otherwise the question waits until somebody comes back with an answer. */
  async function ask(question: PeerQuestion, signal: AbortSignal): Promise<PeerAnswer> {
    if (!mayAsk(question.method, question.params, request.capabilities)) {
      declined ??= question;
      return notAskable;
    }
    if (++asked > limits.maxQuestionsPerCall) return tooMany;
    const key = `question-${asked}`;
    const withdrawn = Promise.withResolvers<PeerAnswer>();
    const withdraw = (): void => withdrawn.resolve(unanswered);
    signal.addEventListener('abort', withdraw, { once: true });
    stop.signal.addEventListener('abort', withdraw, { once: true });
    pauseClock();
    const asks = context?.ask;
    const answer = asks === undefined ? wait(key, question) : asks(question);
    const given = await Promise.race([answer, withdrawn.promise]);
    pending.delete(key);
    signal.removeEventListener('abort', withdraw);
    stop.signal.removeEventListener('abort', withdraw);
    resumeClock();
    return given;
  }

  function wait(key: string, question: PeerQuestion): Promise<PeerAnswer> {
    const { promise, resolve } = Promise.withResolvers<PeerAnswer>();
    pending.set(key, { question, resolve });
    wake.resolve();
    return promise;
  }

  const done = connection.request({
    ...request,
    lane: 'call',
    // The clock above is stricter; this one bounds a call however often it asks.
    timeoutMs: canBeAsked ? timeoutMs + 2 * limits.maxCallTimeoutMs : timeoutMs + graceMs,
    signal: stop.signal,
    onNotification(notification) {
      if (context !== undefined && ++relayed <= limits.maxRelayedPerCall)
        relayNotification(notification, context);
    },
    onQuestion: ask,
  });
  void done.then((outcome) => {
    const reason = outcome.ok ? undefined : outcome.error.reason;
    turn = {
      kind: 'answered',
      outcome: isLate && reason === 'cancelled' ? err(failure('timeout')) : outcome,
    };
    clearTimeout(timer);
    wake.resolve();
  });

  return {
    async next() {
      for (;;) {
        if (turn !== undefined) return turn;
        if (pending.size > 0) return { kind: 'asked' };
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
    questions: () =>
      Object.fromEntries(
        [...pending].map(([key, { question }]) => [
          key,
          { method: question.method, params: question.params },
        ]),
      ),
    declined: () => declined,
    attach(next) {
      context = next;
      if (next.signal.aborted) cancel();
      next.signal.addEventListener('abort', cancel, { once: true });
    },
    detach() {
      context?.signal.removeEventListener('abort', cancel);
      context = undefined;
    },
    answer(responses) {
      for (const [key, { resolve }] of [...pending]) {
        const result = responses !== undefined && Object.hasOwn(responses, key) ? responses[key] : undefined;
        if (!isJsonObject(result)) continue;
        pending.delete(key);
        resolve({ result, error: undefined });
      }
    },
    cancel,
  };
}

/** The stricter of two clocks should be the one that says so. */
const graceMs = 1_000;

const notAskable: PeerAnswer = {
  result: undefined,
  error: { code: rpcErrors.methodNotFound, message: 'The client cannot be asked this' },
};
const tooMany: PeerAnswer = {
  result: undefined,
  error: { code: rpcErrors.serverError, message: 'Too many questions in one call' },
};
const unanswered: PeerAnswer = {
  result: undefined,
  error: { code: rpcErrors.internalError, message: 'The question was not answered' },
};
