import { sseHeaders, sseKeepAlive, sseMessage, sseOpening } from '#wire/sse.ts';
import type { Pulse } from './pulse.ts';

/** A client that reads nothing is cut off once this much waits for it. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const encoder = new TextEncoder();

/** One open SSE response, kept alive by the pulse. */
export interface EventStream {
  readonly response: Response;
  /** Says nothing, and shows that it is open: for a stream that may have nothing to say for long. */
  greet(): void;
  /** False: the stream is closed, or was cut because nobody reads it. */
  send(json: string): boolean;
  close(): void;
  readonly isOpen: boolean;
}

/** `onGone` is called once, when the client goes away or is cut off; not on `close`. */
export function createEventStream(
  pulse: Pulse,
  quietMs: number,
  onGone: () => void,
  headers: Readonly<Record<string, string>> = {},
): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let lastWriteMs = pulse.now();

  const member = {
    beat(nowMs: number) {
      if (nowMs - lastWriteMs >= quietMs) write(sseKeepAlive);
    },
  };

  function gone(): void {
    if (controller === undefined) return;
    controller = undefined;
    pulse.delete(member);
    onGone();
  }

  function write(text: string): boolean {
    if (controller === undefined) return false;
    if ((controller.desiredSize ?? 0) < -MAX_QUEUED_BYTES) {
      controller.error(new Error('the client does not read'));
      gone();
      return false;
    }
    controller.enqueue(encoder.encode(text));
    lastWriteMs = pulse.now();
    return true;
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(opened) {
        controller = opened;
      },
      cancel: gone,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
  );
  pulse.add(member);

  return {
    response: new Response(body, { headers: { ...sseHeaders, ...headers } }),
    greet: () => void write(sseOpening),
    send: (json) => write(sseMessage(json)),
    close() {
      const open = controller;
      controller = undefined;
      pulse.delete(member);
      open?.close();
    },
    get isOpen() {
      return controller !== undefined;
    },
  };
}
