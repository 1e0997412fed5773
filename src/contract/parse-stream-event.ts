import { isJsonObject, type JsonValue, parseJson, stringAt } from '#kernel/json.ts';

/** One event of a streamed answer. `result` carries the answer's text, which is not parsed here. */
export type StreamEvent =
  | {
      readonly kind: 'progress';
      readonly progress: number;
      readonly total: number | undefined;
      readonly message: string | undefined;
    }
  | {
      readonly kind: 'log';
      readonly level: string;
      readonly logger: string | undefined;
      readonly data: JsonValue;
    }
  | { readonly kind: 'result'; readonly text: string };

const levels: ReadonlySet<string> = new Set([
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]);

/**
 * `progress` `{progress, total?, message?}`, `log` `{level, logger?, data}`, `result`. Undefined: an event of another
 * name, or one that does not have that shape; both are skipped.
 */
export function parseStreamEvent(name: string, data: string): StreamEvent | undefined {
  if (name === 'result') return { kind: 'result', text: data };
  if (name !== 'progress' && name !== 'log') return undefined;
  const parsed = parseJson(data);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const body = parsed.value;
  if (name === 'progress') {
    const { progress, total } = body;
    if (typeof progress !== 'number') return undefined;
    return {
      kind: 'progress',
      progress,
      total: typeof total === 'number' ? total : undefined,
      message: stringAt(body, 'message'),
    };
  }
  const level = stringAt(body, 'level');
  if (level === undefined || !levels.has(level) || body.data === undefined) return undefined;
  return { kind: 'log', level, logger: stringAt(body, 'logger'), data: body.data };
}
