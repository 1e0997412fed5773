/** Of every answer that does not say otherwise: no browser guesses its type, stores it, frames it or runs anything in it. */
const defaults: readonly (readonly [name: string, value: string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['cache-control', 'no-store'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
];

/** Adds what an answer lacks; what it says itself stays. */
export function withSafeHeaders(response: Response): Response {
  const { headers } = response;
  for (const [name, value] of defaults) if (!headers.has(name)) headers.set(name, value);
  return response;
}
