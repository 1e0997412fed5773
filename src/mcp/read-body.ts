import { parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Refusal } from './refusal.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

async function readCapped(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The JSON body of a POST as a value: type, size, encoding and syntax checked (R2). */
export async function readJsonBody(
  request: Request,
  maxBytes: number,
): Promise<Result<{ readonly value: unknown; readonly bytes: number }, Refusal>> {
  const type = request.headers.get('content-type') ?? '';
  if (type !== 'application/json' && type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return err({ reason: 'content_type_unsupported' });
  }
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) return err({ reason: 'body_too_large' });
  let bytes: Uint8Array | undefined;
  try {
    // With a declared length the server reads no more than that; without one we count ourselves.
    if (declared !== null) bytes = await request.bytes();
    else bytes = request.body === null ? new Uint8Array() : await readCapped(request.body, maxBytes);
  } catch {
    return err({ reason: 'body_not_json' });
  }
  if (bytes === undefined || bytes.byteLength > maxBytes) return err({ reason: 'body_too_large' });
  const text = decoded(bytes);
  const parsed = text === undefined ? undefined : parseJson(text);
  return parsed?.ok ? ok({ value: parsed.value, bytes: bytes.byteLength }) : err({ reason: 'body_not_json' });
}
