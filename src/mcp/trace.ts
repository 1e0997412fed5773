import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const PRINTABLE = /^[\x20-\x7e]{1,2048}$/;
const none: Readonly<Record<string, string>> = {};

/** The W3C trace context of a request, from `_meta` or else its headers; malformed values are dropped (R33). */
export function readTrace(headers: Headers, params: JsonObject): Readonly<Record<string, string>> {
  const meta = isJsonObject(params._meta) ? params._meta : undefined;
  const inMeta = meta && stringAt(meta, 'traceparent');
  const traceparent = inMeta ?? headers.get('traceparent') ?? undefined;
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return none;
  const trace: Record<string, string> = { traceparent };
  for (const name of ['tracestate', 'baggage']) {
    const value = (inMeta === undefined ? headers.get(name) : meta && stringAt(meta, name)) ?? undefined;
    if (value !== undefined && PRINTABLE.test(value)) trace[name] = value;
  }
  return trace;
}

/** The trace id of a validated trace context. */
export function traceIdOf(trace: Readonly<Record<string, string>>): string | undefined {
  return trace.traceparent?.slice(3, 35);
}
