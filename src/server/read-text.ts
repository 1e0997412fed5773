import { err, ok, type Result } from '#kernel/result.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The body of a request as text, and never more of it than `maxBytes`. */
export async function readText(
  request: Request,
  maxBytes: number,
): Promise<Result<string, 'too_large' | 'malformed'>> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return err('too_large');
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > maxBytes) return err('too_large');
      chunks.push(chunk);
    }
    return ok(decoder.decode(Buffer.concat(chunks, size)));
  } catch {
    return err('malformed');
  }
}
