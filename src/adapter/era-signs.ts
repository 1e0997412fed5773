import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import type { PeerMessage, WireAnswer } from './channel.ts';

/** Errors that only a server of the modern era gives. */
const modernCodes: ReadonlySet<unknown> = new Set([
  rpcErrors.headerMismatch,
  rpcErrors.missingClientCapability,
  rpcErrors.unsupportedProtocolVersion,
]);

export function errorOf(answer: WireAnswer): JsonObject | undefined {
  const message = answer.response?.message;
  return message?.kind === 'response' ? message.error : undefined;
}

/** Whether an answer to a modern request shows a modern server (R40); the status alone never decides. */
export function isModernError(answer: WireAnswer): boolean {
  const error = errorOf(answer);
  if (error === undefined) return false;
  if (modernCodes.has(error.code)) return true;
  if (answer.status === 404) return error.code === rpcErrors.methodNotFound;
  return answer.status === 400 && error.code === rpcErrors.invalidParams;
}

/** Whether a server whose era we believe to know answered as none of that era does: it is probed again. */
export function contradicts(answer: WireAnswer, era: 'modern' | 'legacy', hasSession: boolean): boolean {
  const { status } = answer;
  const error = errorOf(answer);
  if (error?.code === rpcErrors.unsupportedProtocolVersion) return true;
  if (status !== 400 && status !== 404 && status !== 405) return false;
  if (era === 'modern') return !isModernError(answer) && !isOurs(answer);
  if (modernCodes.has(error?.code)) return true;
  return !hasSession && !isOurs(answer);
}

/** A session that the server no longer knows (R43): 404, or what some say instead, a 400 that answers no request. */
export function isSessionLost(answer: WireAnswer): boolean {
  return answer.status === 404 || (answer.status === 400 && !isOurs(answer));
}

/** Whether it answers our request by its id; an error without one is the transport's. */
function isOurs({ response }: WireAnswer): boolean {
  return response !== undefined && !isNameless(response);
}

function isNameless({ text }: PeerMessage): boolean {
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) && (parsed.value.id ?? null) === null;
}
