import type { PeerAnswer, PeerQuestion } from '#backends/backend.ts';
import type { JsonObject } from '#kernel/json.ts';
import { errorText, type RpcMessage } from '#wire/json-rpc.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';

type PeerRequest = Extract<RpcMessage, { kind: 'request' }>;
/** Asks the user; the signal says that the server does not want to know any more. */
export type AskPeerQuestion = (question: PeerQuestion, signal: AbortSignal) => Promise<PeerAnswer>;

/** What a server of the legacy era may ask during a call. */
const questionMethods: ReadonlySet<unknown> = new Set([
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
]);

/** Whether a method is one by which servers ask the user. */
export function isQuestion(method: unknown): boolean {
  return questionMethods.has(method);
}

/** The answer to a request of the server's, as text; `ask` is undefined where nobody can be asked. */
export async function answerPeer(
  { id, method, params }: PeerRequest,
  ask: AskPeerQuestion | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (method === 'ping') return resultOf(id, {});
  if (!questionMethods.has(method))
    return errorText(id, rpcErrors.methodNotFound, 'Method not found', undefined);
  if (ask === undefined) {
    return errorText(
      id,
      rpcErrors.invalidRequest,
      'No call is under way during which this can be asked',
      undefined,
    );
  }
  const { result, error } = await ask({ method, params }, signal);
  if (result !== undefined) return resultOf(id, result);
  return JSON.stringify({ jsonrpc: '2.0', id, error: error ?? unanswered });
}

const unanswered = { code: rpcErrors.internalError, message: 'The question was not answered' };

function resultOf(id: PeerRequest['id'], result: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}
