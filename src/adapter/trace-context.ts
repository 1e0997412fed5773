import { isPlain } from '#contract/header-text.ts';

const names = ['traceparent', 'tracestate', 'baggage'];
const maxLength = 8_192;

/** The W3C trace context that goes to a server, in headers and `_meta` alike (R33): what no header can carry is left out. */
export function traceContext(trace: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const safe: Record<string, string> = {};
  for (const name of names) {
    const value = trace[name];
    if (value !== undefined && value.length <= maxLength && isPlain(value)) safe[name] = value;
  }
  return safe;
}
