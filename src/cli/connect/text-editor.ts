import type { JsonObject } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';

/** Where a text is not what it should be; both count from 1. */
export interface Broken {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/**
 * Changes one entry in the text of a configuration and leaves every other character as it is. What it makes is judged
 * by {@link editEntry}: a text in a style that it does not foresee may come out wrong, and is then not used.
 */
export interface TextEditor {
  /** What the text says: maps as objects. A text without anything is an empty map. */
  parse(text: string): Result<unknown, Broken>;
  /** Sets the members of the entry at `path`; what else it has stays. */
  put(text: string, path: readonly string[], members: JsonObject): string;
  remove(text: string, path: readonly string[]): string;
}

/** Of an offset, for a person. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The line end that a text uses. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
