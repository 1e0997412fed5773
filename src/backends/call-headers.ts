import { headerText, isPlain } from '#contract/header-text.ts';
import { contractHeaders } from '#contract/headers.ts';
import type { CallContext } from './backend.ts';

const traceNames = ['traceparent', 'tracestate', 'baggage'];
const maxTraceLength = 8_192;

/** The headers of a user call that say nothing about who calls; nothing of the client's request is copied. */
export function callHeaders(
  context: CallContext,
  kind: 'tool' | undefined,
  deadlineMs: number,
): Record<string, string> {
  const isStreamable = context.onProgress !== undefined || context.onLog !== undefined;
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: isStreamable ? 'application/json, text/event-stream' : 'application/json',
    [contractHeaders.deadlineMs]: String(Math.max(1, Math.floor(deadlineMs))),
    [contractHeaders.idempotencyKey]: headerText(context.idempotencyKey),
  };
  if (kind !== undefined) headers[contractHeaders.kind] = kind;
  const capabilities = Object.keys(context.clientCapabilities);
  if (capabilities.length > 0) {
    const named = capabilities.filter((name) => /^[\w.-]{1,64}$/.test(name)).sort();
    if (named.length > 0) headers[contractHeaders.clientCapabilities] = named.join(' ');
  }
  for (const name of traceNames) {
    const value = context.trace[name];
    if (value !== undefined && value.length <= maxTraceLength && isPlain(value)) headers[name] = value;
  }
  return headers;
}
