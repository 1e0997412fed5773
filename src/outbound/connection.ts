import type { Socket } from 'bun';
import { createAnswerReader } from './answer-reader.ts';
import type { OutboundFailure } from './outbound.ts';
import type { AnswerSink } from './transport.ts';

/** One open connection; it carries one request at a time. */
export interface Connection {
  /** Writes a request of `byteLength` bytes, whose answer goes to `sink`. Only for a connection that is idle. */
  send(text: string, byteLength: number, sink: AnswerSink): void;
  /** Whether a request may be sent: nobody closed it, and nothing came that was not asked for. */
  isIdle(): boolean;
  /** Closes it, if it still carries the request of this sink, which hears nothing more. */
  giveUp(sink: AnswerSink): void;
  /** Closes it; a request under way fails with this reason. */
  close(reason: OutboundFailure['reason'], detail: string): void;
  /** Seconds that the server, by its last answer, keeps an idle connection. */
  keepAliveSeconds(): number | undefined;
}

/** What the socket tells its connection. */
export interface SocketEvents {
  received(chunk: Buffer): void;
  drained(): void;
  /** The other side sends nothing more. */
  ended(): void;
  closed(detail: string): void;
}

export interface ConnectionEvents {
  /** The answer is complete, and another request may follow. */
  idle(): void;
  /** Called once, whoever closed it. */
  closed(): void;
}

export function createConnection(
  socket: Socket<unknown>,
  maxHeadBytes: number,
  events: ConnectionEvents,
): Connection & SocketEvents {
  const reader = createAnswerReader(maxHeadBytes);
  let sink: AnswerSink | undefined;
  let unsent: Buffer | undefined;
  let isOpen = true;

  function close(): AnswerSink | undefined {
    const interrupted = sink;
    sink = undefined;
    unsent = undefined;
    if (!isOpen) return undefined;
    isOpen = false;
    socket.terminate();
    events.closed();
    return interrupted;
  }
  function finish(isReusable: boolean): void {
    const answered = sink;
    // Before the whole request was written, an answer leaves the server in a state that nobody knows.
    if (isReusable && unsent === undefined) {
      sink = undefined;
      events.idle();
    } else close();
    answered?.ends();
  }

  return {
    send(text, byteLength, next) {
      sink = next;
      reader.expect();
      const written = socket.write(text);
      if (written === byteLength) return;
      if (written < 0) return close()?.fails('unreachable', 'closed');
      unsent = Buffer.from(text).subarray(written);
    },
    isIdle: () => isOpen && sink === undefined,
    giveUp(of) {
      if (sink === of) close();
    },
    close(reason, detail) {
      close()?.fails(reason, detail);
    },
    keepAliveSeconds() {
      const said = reader.head()?.headers.get('keep-alive');
      const seconds = said === undefined ? undefined : /\btimeout=(\d{1,6})\b/i.exec(said)?.[1];
      return seconds === undefined ? undefined : Number(seconds);
    },
    received(chunk) {
      // Bytes that nobody asked for must never meet the next request.
      if (sink === undefined) return void close();
      const outcome = reader.push(chunk, sink);
      if (outcome === 'more' || sink === undefined) return;
      if (outcome === 'done') return finish(reader.isReusable());
      if (outcome === 'surplus') return finish(false);
      close()?.fails(outcome === 'head_too_large' ? 'too_large' : 'unreachable', outcome);
    },
    drained() {
      if (unsent === undefined) return;
      const written = socket.write(unsent);
      if (written < 0) return close()?.fails('unreachable', 'closed');
      unsent = written >= unsent.length ? undefined : unsent.subarray(written);
    },
    ended() {
      if (sink !== undefined && reader.isDoneAtEnd()) return finish(false);
      close()?.fails('unreachable', 'ended');
    },
    closed(detail) {
      close()?.fails('unreachable', detail);
    },
  };
}
