import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/** A row as a database returned it; a row of another shape than its table's is a bug and throws. */
export function asRow(row: unknown): JsonObject {
  if (!isJsonObject(row)) throw new Error('the database returned a row that is no object');
  return row;
}

export function textOf(row: JsonObject, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} holds no text`);
  return value;
}

export function integerOf(row: JsonObject, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`column ${column} holds no integer`);
  return value;
}

/** NULL is undefined. */
export function optionalTextOf(row: JsonObject, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** NULL is undefined. */
export function optionalIntegerOf(row: JsonObject, column: string): number | undefined {
  return row[column] === null ? undefined : integerOf(row, column);
}
