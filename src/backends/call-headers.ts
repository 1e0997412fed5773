import { headerText, isPlain } from '#contract/header-text.ts';
import { contractHeaders } from '#contract/headers.ts';
import type { CallContext } from './backend.ts';

type Headers = Readonly<Record<string, string>>;

/** The headers of a backend's user calls that say nothing about who calls; nothing of the client's request is copied. */
export interface CallHeaders {
  /** What many calls share: the same object for the same kind of call. */
  constant(context: CallContext, kind: 'tool' | undefined): Headers;
  /** What is this call's own. */
  own(context: CallContext, deadlineMs: number): Headers;
}

const traceNames = ['traceparent', 'tracestate', 'baggage'];
const maxTraceLength = 8_192;

export function createCallHeaders(userAgent: string): CallHeaders {
  const common = { 'Content-Type': 'application/json', 'User-Agent': userAgent };
  const plain = { ...common, Accept: 'application/json' };
  const streamed = { ...common, Accept: 'application/json, text/event-stream' };
  const plainTool = { ...plain, [contractHeaders.kind]: 'tool' };
  const streamedTool = { ...streamed, [contractHeaders.kind]: 'tool' };

  return {
    constant({ onProgress, onLog }, kind) {
      if (onProgress === undefined && onLog === undefined) return kind === undefined ? plain : plainTool;
      return kind === undefined ? streamed : streamedTool;
    },
    own: ownHeaders,
  };
}

function ownHeaders(context: CallContext, deadlineMs: number): Headers {
  const headers: Record<string, string> = {
    [contractHeaders.deadlineMs]: String(Math.max(1, Math.floor(deadlineMs))),
    [contractHeaders.idempotencyKey]: headerText(context.idempotencyKey),
  };
  const capabilities = Object.keys(context.clientCapabilities);
  if (capabilities.length > 0) {
    const named = capabilities.filter((name) => /^[\w.-]{1,64}$/.test(name)).sort();
    if (named.length > 0) headers[contractHeaders.clientCapabilities] = named.join(' ');
  }
  const { trace } = context;
  for (const name of traceNames) {
    const value = trace[name];
    if (value !== undefined && value.length <= maxTraceLength && isPlain(value)) headers[name] = value;
  }
  return headers;
}
