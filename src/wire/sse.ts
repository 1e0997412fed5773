/** Headers of every event stream we send: nothing may buffer, cache or transform it (R13). */
export const sseHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const;

/** One `message` event. `json` holds no line breaks, as `JSON.stringify` writes it; any that slipped in are framed. */
export function sseMessage(json: string, id?: string): string {
  const data = json.includes('\n') || json.includes('\r') ? json.split(/\r\n|\r|\n/).join('\ndata: ') : json;
  return `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${data}\n\n`;
}

/** A comment that shows at once that the stream is open: some clients hand on no head before the first byte of a body. */
export const sseOpening = ': open\n\n';

/** A comment that keeps intermediaries from closing a quiet stream. */
export const sseKeepAlive = ': keep-alive\n\n';
