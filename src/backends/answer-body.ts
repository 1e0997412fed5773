import { contractHeaders } from '#contract/headers.ts';
import { parseInputRequired } from '#contract/parse-input-required.ts';
import { isJsonObject, type JsonValue, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundResponse } from '#outbound/outbound.ts';
import type { Answer, BackendFailure } from './backend.ts';
import { failure } from './failures.ts';
import { statusFailure } from './status-failure.ts';

/** A successful answer: its text as it came, and the same text parsed once. */
export interface AnswerBody {
  readonly text: string;
  readonly value: JsonValue;
  /** The backend marked it as an MCP result (`X-Cortex-Result: mcp`). */
  readonly isMcp: boolean;
}

/**
 * The body of an answer, or what its status says. `streamed` is the text of the `result` event where the answer was an
 * event stream. Nothing but valid JSON is a success: `JSON.parse` is the quickest check there is (0.5 us for 150 bytes).
 */
export function answerBody(
  response: OutboundResponse,
  streamed: string | undefined,
  now: number,
): Result<AnswerBody, BackendFailure> {
  const { status } = response;
  if (status < 200 || status > 299) return err(statusFailure(response, now));
  if (response.isStream && streamed === undefined) {
    return err(failure('unreachable', { status, message: 'The backend ended its stream without a result.' }));
  }
  const text = streamed ?? response.body;
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonValue(parsed.value)) return err(failure('not_json', { status }));
  const isMcp = response.headers.get(resultHeader) === 'mcp';
  return ok({ text, value: parsed.value, isMcp });
}

const resultHeader = contractHeaders.result.toLowerCase();

/** What `JSON.parse` returns is JSON; the type system does not know it. */
function isJsonValue(value: unknown): value is JsonValue {
  return value !== undefined;
}

/** An answer for a caller, with `member` the list that its JSON must hold: `messages`, `contents`; undefined for any JSON. */
export function toAnswer(body: AnswerBody, member: string | undefined): Result<Answer, BackendFailure> {
  const asked = parseInputRequired(body.value);
  if (asked !== undefined) return ok({ kind: 'input_required', ...asked });
  const needed = body.isMcp ? (member ?? 'content') : member;
  if (needed !== undefined && !(isJsonObject(body.value) && Array.isArray(body.value[needed]))) {
    return err(failure('not_json', { message: `The answer of the backend has no list named ${needed}.` }));
  }
  return ok({ kind: body.isMcp ? 'mcp' : 'json', text: body.text });
}
