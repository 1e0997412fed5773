import type { Answer, BackendFailure } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type Era, metaKeys } from '#wire/protocol.ts';
import { memberText, withMembers } from './member-spans.ts';
import { isQuestion } from './peer-requests.ts';
import { publicContent, publicContents, publicMessages, type Uris } from './uris.ts';

/** The member that a method's result must hold as a list, and how its URIs become public. */
const shapes = {
  'tools/call': { member: 'content', publish: publicContent },
  'prompts/get': { member: 'messages', publish: publicMessages },
  'resources/read': { member: 'contents', publish: publicContents },
} as const;
export type AnswerMethod = keyof typeof shapes;

/**
 * A result for the caller. Its text is the server's, but for public URIs and for what says who the server is (R9); a
 * result of a type that nobody knows is none (R27), and so is a question that is none. Whether this caller can be asked
 * is for the edge to say: it names the capability that is missing.
 */
export function readAnswer(
  response: { readonly text: string; readonly result: JsonObject },
  method: AnswerMethod,
  era: Era,
  uris: Uris,
): Result<Answer, BackendFailure> {
  const { result } = response;
  const { resultType } = result;
  if (era === 'modern' && resultType === 'input_required') return readQuestions(result);
  if (era === 'modern' && resultType !== undefined && resultType !== 'complete') {
    return err(
      failure('business_error', { message: 'The server answered with a kind of result that is not known.' }),
    );
  }
  const { member, publish } = shapes[method];
  const value = result[member];
  if (!Array.isArray(value)) {
    return err(failure('not_json', { message: `The result of the server has no list named ${member}.` }));
  }
  const changes = new Map<string, string | undefined>();
  const published = publish(result[member] ?? [], uris);
  if (published !== value) changes.set(member, JSON.stringify(published));
  if (hidesPeer(result._meta)) changes.set('_meta', peerless(result._meta));
  const text = memberText(response.text, 'result') ?? '';
  return ok({ kind: 'mcp', text: changes.size === 0 ? text : withMembers(text, changes) });
}

function readQuestions({ inputRequests, requestState }: JsonObject): Result<Answer, BackendFailure> {
  for (const question of Object.values(isJsonObject(inputRequests) ? inputRequests : {})) {
    if (isJsonObject(question) && isQuestion(question.method)) continue;
    const message = 'The server asks for something that no client can be asked.';
    return err(failure('business_error', { message }));
  }
  return ok({
    kind: 'input_required',
    inputRequests: isJsonObject(inputRequests) ? inputRequests : undefined,
    requestState: typeof requestState === 'string' ? requestState : undefined,
  });
}

const peerKeys = [metaKeys.serverInfo, metaKeys.subscriptionId] as const;

function hidesPeer(meta: JsonValue | undefined): meta is JsonObject {
  return isJsonObject(meta) && peerKeys.some((key) => Object.hasOwn(meta, key));
}

function peerless(meta: JsonObject): string | undefined {
  const rest = Object.entries(meta).filter(([key]) => !peerKeys.some((peerKey) => peerKey === key));
  return rest.length === 0 ? undefined : JSON.stringify(Object.fromEntries(rest));
}
