import { err, ok, type Result } from '#kernel/result.ts';

export type Parameters = ReadonlyMap<string, string>;
export interface ParameterRefusal {
  readonly reason: 'repeated' | 'wrong_type' | 'too_large';
  /** The parameter that came twice. */
  readonly name: string | undefined;
}

/** Query or form parameters: none may come twice, and an empty one counts as absent (RFC 6749 section 3.1). */
export function parseParameters(text: string): Result<Parameters, ParameterRefusal> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) return err({ reason: 'repeated', name });
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return ok(parameters);
}

/** The parameters of a form post. */
export async function readForm(
  request: Request,
  maxBytes: number,
): Promise<Result<Parameters, ParameterRefusal>> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return err({ reason: 'wrong_type', name: undefined });
  const text = await readText(request, maxBytes);
  return text === undefined ? err({ reason: 'too_large', name: undefined }) : parseParameters(text);
}

/** The body as text; undefined once it is larger than `maxBytes`, whatever its length header said. */
export async function readText(request: Request, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
