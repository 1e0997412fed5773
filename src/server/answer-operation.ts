import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import type { Operation } from './operation.ts';

const maxBodyBytes = 64 * 1024;

/**
 * Runs an operation for a request: JSON in (a GET: its query) and out; 400 where the body is no JSON object, 409 with
 * `{reason, message}` where nothing was done. Whether the actor may ask is the door's to judge.
 */
export async function answerOperation(
  operation: Operation,
  request: Request,
  actor: string,
): Promise<Response> {
  const input = await inputOf(request);
  if (input === undefined) {
    return Response.json({ reason: 'incomplete', message: 'the body is no JSON object' }, { status: 400 });
  }
  const outcome = await operation.run(input, actor);
  return outcome.ok ? Response.json(outcome.value) : Response.json(outcome.error, { status: 409 });
}

async function inputOf(request: Request): Promise<JsonObject | undefined> {
  if (request.method === 'GET') return Object.fromEntries(new URL(request.url).searchParams);
  const text = await request.text();
  if (text === '') return {};
  const parsed = text.length > maxBodyBytes ? undefined : parseJson(text);
  return parsed?.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}
