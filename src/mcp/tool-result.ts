import type { Answer, BackendFailure, Exchange } from '#backends/backend.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type Era, metaKeys } from '#wire/protocol.ts';
import type { Facts, MethodReply, ResultBody } from './call.ts';

/** Under this `_meta` key an `isError` result says what happened, for programs. */
const errorMetaKey = 'io.github.cortex-gateway/error';

/** A failed tool call as a result that the model can read (R25). */
export function toolError(text: string, detail: JsonObject): MethodReply {
  return ok({
    members: `"content":[{"type":"text","text":${JSON.stringify(text)}}],"isError":true`,
    meta: { [errorMetaKey]: detail },
    resultType: 'complete',
  });
}

/** The text and details of a backend's failure, for the agent. Never an address, a stack or a token. */
export function failureDetail(failure: BackendFailure): JsonObject {
  return {
    reason: failure.reason,
    ...(failure.status === undefined ? {} : { status: failure.status }),
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
    ...(failure.requiredScopes === undefined ? {} : { requiredScopes: [...failure.requiredScopes] }),
    ...(failure.body === undefined ? {} : { body: failure.body }),
  };
}

/** The contract's plain JSON as a tool result: the raw bytes as text, and again as `structuredContent` where declared. */
export function plainToolResult(text: string, hasOutputSchema: boolean, era: Era): ResultBody {
  const content = `"content":[{"type":"text","text":${JSON.stringify(text)}}]`;
  const isStructured = hasOutputSchema && (era === 'modern' || text.trimStart().startsWith('{'));
  return {
    members: isStructured ? `${content},"structuredContent":${text}` : content,
    meta: undefined,
    resultType: 'complete',
  };
}

/** Our own `_meta` keys and the peer's `serverInfo` never pass on (R9). */
export function foreignMeta(meta: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(meta)) return undefined;
  const { [metaKeys.serverInfo]: _peer, [metaKeys.subscriptionId]: _id, ...rest } = meta;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** An MCP-shaped result, verbatim but for the envelope's own keys. Err: what is wrong with it. */
export function mcpResult(
  text: string,
  era: Era,
): Result<ResultBody & { readonly isError: boolean }, string> {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('its MCP result is not an object');
  const { resultType, _meta, ...members } = parsed.value;
  if (resultType !== undefined && resultType !== 'complete')
    return err('its result has an unknown resultType');
  if (!Array.isArray(members.content)) return err('its MCP result has no content');
  const { structuredContent } = members;
  const kept =
    era === 'legacy' && structuredContent !== undefined && !isJsonObject(structuredContent)
      ? { ...members, structuredContent: undefined }
      : members;
  return ok({
    members: JSON.stringify(kept).slice(1, -1),
    meta: foreignMeta(_meta),
    resultType: 'complete',
    isError: members.isError === true,
  });
}

/** A tool's final answer; a question has been dealt with before. */
export function toolResult(
  answer: Answer,
  hasOutputSchema: boolean,
  era: Era,
): Result<ResultBody & { readonly isError: boolean }, string> {
  if (answer.kind === 'mcp') return mcpResult(answer.text, era);
  if (answer.kind === 'input_required') return err('it asks again');
  return ok({ ...plainToolResult(answer.text, hasOutputSchema, era), isError: false });
}

/** Copies what really happened into the facts of the audit record. */
export function noteExchange(facts: Facts, exchange: Exchange<unknown>): void {
  facts.backend = exchange.backend;
  facts.mode = exchange.mode ?? facts.mode;
  if (!facts.backends.includes(exchange.backend)) facts.backends.push(exchange.backend);
}
