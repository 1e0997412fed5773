import type { Clock } from '#kernel/clock.ts';
import type { Log, LogFields } from '#kernel/log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

const maxValueLength = 4_096;
const ownKeys: ReadonlySet<string> = new Set(['time', 'level', 'event']);

/**
 * A log that writes one line an event, text for people or JSON for machines. Whatever is in a field, the line stays
 * one line and holds no control character; long values are cut.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Takes one line, its newline included. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
}): Log {
  const threshold = levels.indexOf(options.level);
  const format = options.format === 'json' ? jsonLine : textLine;
  const at = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (levels.indexOf(level) < threshold) return;
    const time = new Date(options.clock.now()).toISOString();
    options.write(`${format(time, level, event, fields ?? {})}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const line: Record<string, string | number | boolean> = { time, level, event };
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    // A field cannot pass itself off as the event's own time, level or name.
    line[ownKeys.has(key) ? `field_${key}` : key] = typeof value === 'string' ? cut(value) : value;
  }
  return escapeControls(JSON.stringify(line));
}

function textLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${plainOrQuoted(event)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${plainOrQuoted(key)}=${plainOrQuoted(String(value))}`;
  }
  return line;
}

function plainOrQuoted(text: string): string {
  return /^[\w.:/@+-]+$/.test(text) && text.length <= maxValueLength
    ? text
    : escapeControls(JSON.stringify(cut(text)));
}

function cut(text: string): string {
  return text.length <= maxValueLength
    ? text
    : `${text.slice(0, maxValueLength)}… (${text.length} characters)`;
}

/** JSON leaves some as they are: DEL, the C1 controls, line separators, and what turns the direction of text. */
function escapeControls(json: string): string {
  return json.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
