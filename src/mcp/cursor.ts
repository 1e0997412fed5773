import { isJsonObject, parseJson } from '#kernel/json.ts';

const VERSION = 1;

/** An opaque cursor: the last name or URI of the page before, so that it stays valid when the list changes (R18). */
export function encodeCursor(after: string): string {
  return Buffer.from(JSON.stringify({ v: VERSION, a: after }), 'utf8').toString('base64url');
}

/** The name to go on after; undefined where the cursor is not one of ours. */
export function decodeCursor(cursor: string): string | undefined {
  const parsed = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { v, a } = parsed.value;
  if (v !== VERSION || typeof a !== 'string' || encodeCursor(a) !== cursor) return undefined;
  return a;
}
