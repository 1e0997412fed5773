import { isJsonObject } from '#kernel/json.ts';

/** One place at which two JSON values differ. Undefined: it is not there. */
export interface FieldChange {
  /** Keys from the root joined by dots: `inputSchema.properties.limit.type`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

const MAX_CHANGES = 64;

/** Where two JSON values differ, deepest objects first compared by key; arrays are compared whole. */
export function jsonDiff(before: unknown, after: unknown, path = ''): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  collect(before, after, path, changes);
  return changes;
}

function collect(before: unknown, after: unknown, path: string, changes: FieldChange[]): void {
  if (changes.length >= MAX_CHANGES || Bun.deepEquals(before, after)) return;
  if (!isJsonObject(before) || !isJsonObject(after)) {
    changes.push({ path, before, after });
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = path === '' ? key : `${path}.${key}`;
    collect(own(before, key), own(after, key), inner, changes);
  }
}

function own(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
