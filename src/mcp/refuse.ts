import { errorText, type RpcId } from '#wire/json-rpc.ts';
import type { Era } from '#wire/protocol.ts';
import { jsonResponse } from './json-response.ts';
import { type Refusal, wireAnswer } from './refusal.ts';

/** A refusal as the whole answer of a request. */
export function refuse(refusal: Refusal, id?: RpcId, era: Era = 'modern'): Response {
  const { status, code, message, data, headers } = wireAnswer(refusal, era);
  return jsonResponse(errorText(id, code, message, data), status, headers);
}
