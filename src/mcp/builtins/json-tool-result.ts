import type { JsonObject } from '#kernel/json.ts';
import { complete, type MethodReply } from '../call.ts';

/** A builtin's answer: pretty JSON as text, for people who watch their agent work. */
export function jsonToolResult(value: JsonObject): MethodReply {
  const text = JSON.stringify(value, undefined, 2);
  return complete(`"content":[{"type":"text","text":${JSON.stringify(text)}}]`);
}
