import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Operation } from './operation.ts';

/**
 * Runs an operation for a request: JSON in (a GET: its query) and out; 400 where the body is no JSON object, 413 where
 * it has more than 64 KB, 409 where nothing was done, each with `{reason, message}`. Whether the actor may ask is the
 * door's to judge.
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
  if (input === 'too_large') {
    return Response.json({ reason: 'too_large', message: 'the body is too large' }, { status: 413 });
  }
  const outcome = await operation.run(input, actor);
  return outcome.ok ? Response.json(outcome.value) : Response.json(outcome.error, { status: 409 });
}

async function inputOf(request: Request): Promise<JsonObject | 'too_large' | undefined> {
  if (request.method === 'GET') return Object.fromEntries(new URL(request.url).searchParams);
  const text = await readText(request);
  if (text === undefined) return 'too_large';
  if (text === '') return {};
  const parsed = parseJson(text);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** Undefined: there is more of it than an operation takes; read no further than that. */
async function readText(request: Request): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxOperationBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > limits.maxOperationBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    // Whoever leaves in the middle of it is no fault of ours; what came is not to be acted on.
    return '-';
  }
  return Buffer.concat(chunks, size).toString('utf8');
}
