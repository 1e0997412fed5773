import { isJsonObject, isStringArray } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

export interface Completion {
  readonly values: readonly string[];
  readonly total: number | undefined;
  readonly hasMore: boolean | undefined;
}

/** MCP allows no more in one answer. */
const maxValues = 100;

/** The contract's `{values, total?, hasMore?}`; of more than 100 values the first 100 stay and `hasMore` is true. */
export function parseCompletion(value: unknown): Result<Completion, 'not_a_completion'> {
  if (!isJsonObject(value) || !isStringArray(value.values)) return err('not_a_completion');
  const { values, total, hasMore } = value;
  return ok({
    values: values.slice(0, maxValues),
    total: typeof total === 'number' && Number.isFinite(total) ? total : undefined,
    hasMore: values.length > maxValues ? true : typeof hasMore === 'boolean' ? hasMore : undefined,
  });
}
