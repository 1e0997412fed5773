const newline = 0x0a;
const carriageReturn = 0x0d;
/** Of a line that is too long: enough to find out which request it answers. */
const keptBytes = 1_024;
const firstBytes = 4_096;

export interface LineSink {
  line(text: string): void;
  /** A line that is no UTF-8. */
  unreadable(): void;
  /** A line beyond the cap: its first and its last bytes, told when it ends. */
  tooLong(head: string, tail: string): void;
}

/**
 * Cuts a stream of bytes into lines and holds never more than `maxBytes` of one, however small the pieces are that it
 * comes in. Empty lines are skipped; a last line without its end is dropped.
 */
export function createLineSplitter(maxBytes: number, sink: LineSink): (chunk: Uint8Array) => void {
  let held = new Uint8Array(0);
  let length = 0;
  /** Set while what comes belongs to a line that is too long. */
  let excess: { readonly head: Uint8Array; tail: Uint8Array } | undefined;

  function hold(part: Uint8Array): void {
    if (excess !== undefined) {
      excess.tail = lastOf(excess.tail, part);
      return;
    }
    if (length + part.byteLength > maxBytes) {
      const before = held.subarray(0, length);
      excess = { head: firstOf(before, part), tail: lastOf(before, part) };
      reset();
      return;
    }
    if (length + part.byteLength > held.byteLength) {
      const larger = new Uint8Array(Math.max(firstBytes, 2 * held.byteLength, length + part.byteLength));
      larger.set(held.subarray(0, length));
      held = larger;
    }
    held.set(part, length);
    length += part.byteLength;
  }

  function reset(): void {
    held = new Uint8Array(0);
    length = 0;
  }

  function finish(end: Uint8Array): void {
    if (length === 0 && excess === undefined && end.byteLength <= maxBytes) {
      give(end, sink);
      return;
    }
    hold(end);
    const over = excess;
    const whole = held.subarray(0, length);
    reset();
    excess = undefined;
    if (over === undefined) give(whole, sink);
    else sink.tooLong(loosely(over.head), loosely(over.tail));
  }

  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.byteLength) hold(chunk.subarray(start));
  };
}

function give(line: Uint8Array, sink: LineSink): void {
  const bytes = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    sink.unreadable();
    return;
  }
  if (text.trim() !== '') sink.line(text);
}

function firstOf(before: Uint8Array, part: Uint8Array): Uint8Array {
  return Buffer.concat([before.subarray(0, keptBytes), part.subarray(0, keptBytes)]).subarray(0, keptBytes);
}

function lastOf(before: Uint8Array, part: Uint8Array): Uint8Array {
  return Buffer.concat([before.subarray(-keptBytes), part.subarray(-keptBytes)]).subarray(-keptBytes);
}

function loosely(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
