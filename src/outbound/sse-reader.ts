/** One dispatched server-sent event; `event` is `message` where the stream named none. */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

/** Where a stream can be taken up again, and after how long: `id` and `retry` fields, with or without data beside them. */
export interface StreamPosition {
  readonly id: string | undefined;
  readonly retryMs: number | undefined;
}

export interface SseReader {
  /** `done`: the consumer has what it wanted. Nothing may be pushed after `done` or `bad_encoding`. */
  push(chunk: Uint8Array): 'more' | 'done' | 'bad_encoding';
}

/**
 * Parses an event stream as it arrives (HTML Living Standard, 9.2.6). An event without data, and one that the stream's end
 * cuts off, is dropped. What is held back is never more than was pushed: the caller's byte cap bounds it.
 */
export function createSseReader(
  onEvent: (event: SseEvent) => boolean,
  onPosition?: (position: StreamPosition) => void,
): SseReader {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  // Parts of a line still without its end: joined once, so that a long line costs no copy per chunk.
  let partial: string[] = [];
  let data: string[] = [];
  let event = '';
  let id: string | undefined;
  let retryMs: number | undefined;
  let hasMoved = false;
  let endedWithCr = false;

  function dispatch(): boolean {
    const isEmpty = data.length === 0;
    const ready: SseEvent = { event: event === '' ? 'message' : event, data: data.join('\n'), id };
    data = [];
    event = '';
    if (hasMoved) onPosition?.({ id, retryMs });
    hasMoved = false;
    return isEmpty ? false : onEvent(ready);
  }

  function takeLine(line: string): boolean {
    if (line === '') return dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return false;
    const field = colon === -1 ? line : line.slice(0, colon);
    const rest = colon === -1 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (field === 'data') data.push(value);
    if (field === 'event') event = value;
    if (field === 'id' && !value.includes('\0')) {
      id = value;
      hasMoved = true;
    }
    if (field === 'retry' && /^\d{1,9}$/.test(value)) {
      retryMs = Number(value);
      hasMoved = true;
    }
    return false;
  }

  return {
    push(chunk) {
      let text: string;
      try {
        text = decoder.decode(chunk, { stream: true });
      } catch {
        return 'bad_encoding';
      }
      if (text === '') return 'more';
      let start = endedWithCr && text.startsWith('\n') ? 1 : 0;
      endedWithCr = text.endsWith('\r');
      const lineEnd = /\r\n|\n|\r/g;
      lineEnd.lastIndex = start;
      for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
        partial.push(text.slice(start, match.index));
        start = lineEnd.lastIndex;
        const line = partial.join('');
        partial = [];
        if (takeLine(line)) return 'done';
      }
      if (start < text.length) partial.push(text.slice(start));
      return 'more';
    },
  };
}
