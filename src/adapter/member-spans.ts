/** Where one member of a JSON object's text stands; `start` is its key's quote, `valueEnd` is after the value. */
export interface MemberSpan {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * The top-level members of a JSON object, by where they stand in its text. The text is known to be valid JSON. With this a
 * member passes on as it came: big integers, unknown keys, the order of keys.
 */
export function memberSpans(text: string): readonly MemberSpan[] {
  const spans: MemberSpan[] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const start = at;
    const keyEnd = stringEnd(text, at);
    const key: unknown = JSON.parse(text.slice(start, keyEnd));
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    if (typeof key === 'string') spans.push({ key, start, valueStart, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text.charCodeAt(at) !== COMMA) break;
    at = skipSpace(text, at + 1);
  }
  return spans;
}

/** The text of one member's value; of several with the same key the last, as `JSON.parse` has it. */
export function memberText(text: string, key: string): string | undefined {
  const span = memberSpans(text).findLast((member) => member.key === key);
  return span === undefined ? undefined : text.slice(span.valueStart, span.valueEnd);
}

/** An object's text with some members replaced, or left out where the value is undefined; the rest as it came. */
export function withMembers(text: string, changes: ReadonlyMap<string, string | undefined>): string {
  const parts: string[] = [];
  const spans = memberSpans(text);
  for (const [index, { key, start, valueStart, valueEnd }] of spans.entries()) {
    if (!changes.has(key)) parts.push(text.slice(start, valueEnd));
    else if (spans.findLastIndex((span) => span.key === key) === index) {
      const value = changes.get(key);
      if (value !== undefined) parts.push(text.slice(start, valueStart) + value);
    }
  }
  return `{${parts.join(',')}}`;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** `[` and `]` with this bit are `{` and `}`. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** After the closing quote. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return stringEnd(text, start);
  if ((first | BRACE_BIT) !== OPENING) return endOfScalar(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if ((code | BRACE_BIT) === OPENING) depth++;
    else if ((code | BRACE_BIT) === CLOSING && --depth === 0) return at + 1;
  }
  return text.length;
}

/** A number, `true`, `false` or `null`. */
function endOfScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === COMMA || isSpace(code) || (code | BRACE_BIT) === CLOSING) break;
    at++;
  }
  return at;
}
