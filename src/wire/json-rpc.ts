import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

export type RpcId = string | number;

/** One JSON-RPC 2.0 message. `params` is always an object: MCP has no positional parameters. */
export type RpcMessage =
  | { readonly kind: 'request'; readonly id: RpcId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | {
      readonly kind: 'response';
      readonly id: RpcId;
      readonly result: JsonObject | undefined;
      readonly error: JsonObject | undefined;
    };

/** An id comes back in every message about its request: a long one would be sent a thousand times. */
const MAX_ID_LENGTH = 1_024;

/** Ids are strings or integers; `null`, fractions (MCP basic/index "Requests") and long texts are refused. */
export function isRpcId(value: unknown): value is RpcId {
  if (typeof value === 'string') return value.length <= MAX_ID_LENGTH;
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** Parses one message; the refusal carries the id where one could be read, so that the answer can. */
export function parseMessage(value: unknown): Result<RpcMessage, { readonly id: RpcId | undefined }> {
  if (!isJsonObject(value)) return err({ id: undefined });
  const { id, method, params, result, error } = value;
  const knownId = isRpcId(id) ? id : undefined;
  if (value.jsonrpc !== '2.0') return err({ id: knownId });
  if (typeof method === 'string') {
    if (params !== undefined && !isJsonObject(params)) return err({ id: knownId });
    if (!('id' in value)) return ok({ kind: 'notification', method, params: params ?? {} });
    if (knownId === undefined) return err({ id: undefined });
    return ok({ kind: 'request', id: knownId, method, params: params ?? {} });
  }
  if (knownId === undefined || method !== undefined) return err({ id: knownId });
  if (isJsonObject(error)) return ok({ kind: 'response', id: knownId, result: undefined, error });
  if (isJsonObject(result)) return ok({ kind: 'response', id: knownId, result, error: undefined });
  return err({ id: knownId });
}

/** `members` is the inside of the result object, already JSON. */
export function resultText(id: RpcId, members: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{${members}}}`;
}

export function errorText(
  id: RpcId | undefined,
  code: number,
  message: string,
  data: JsonObject | undefined,
): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    ...(id === undefined ? {} : { id }),
    error: { code, message, data },
  });
}

export function notificationText(method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

export function requestText(id: RpcId, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}
