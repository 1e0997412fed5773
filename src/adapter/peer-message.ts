import { isJsonObject, parseJson } from '#kernel/json.ts';
import { parseMessage, type RpcId } from '#wire/json-rpc.ts';
import type { PeerMessage } from './channel.ts';

/** One message of a server, or why its text is none: `not_json`, or JSON that is no message of JSON-RPC. */
export function readPeerMessage(text: string): PeerMessage | 'not_json' | 'no_message' {
  const parsed = parseJson(text);
  if (!parsed.ok) return 'not_json';
  const message = parseMessage(parsed.value);
  return message.ok ? { text, message: message.value } : 'no_message';
}

/**
 * The body of an HTTP answer as the response to request `id`. An error may come without an id, where the server could
 * not read ours; a result may not.
 */
export function readResponseBody(text: string, id: RpcId): PeerMessage | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { value } = parsed;
  const message = parseMessage(value);
  if (message.ok) {
    const isOurs = message.value.kind === 'response' && message.value.id === id;
    return isOurs ? { text, message: message.value } : undefined;
  }
  const isNameless = value.id === null || value.id === undefined;
  if (!isNameless || value.jsonrpc !== '2.0' || !isJsonObject(value.error)) return undefined;
  return { text, message: { kind: 'response', id, result: undefined, error: value.error } };
}
