const type = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' } as const;
/** Copied by each response that is made with it: half the cost of reading a plain object again. */
const headersOfType = new Headers(type);
const success = { status: 200, headers: headersOfType } as const;

/** An answer of one JSON text. */
export function jsonResponse(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> | undefined,
): Response {
  if (headers !== undefined) return new Response(text, { status, headers: { ...type, ...headers } });
  return new Response(text, status === 200 ? success : { status, headers: headersOfType });
}
