/** One connection of a reader. */
interface Reader {
  send(text: string): void;
  end(): void;
}

export interface EventStreamer extends AsyncDisposable {
  readonly url: string;
  /** `Last-Event-ID` of each connection; null where there was none. */
  readonly connections: readonly {
    readonly lastEventId: string | null;
    readonly at: number;
    readonly authorization: string | null;
  }[];
  readonly open: number;
  /** Sends to all readers, and to each later one what it has missed. */
  publish(...tokens: readonly string[]): void;
  /** Bytes to whoever reads now. */
  write(text: string): void;
  /** Ends all connections. */
  cut(): void;
  /** How the next connections are answered in place of the stream. */
  answerWith(answer: (() => Response) | undefined): void;
}

/** A stream of events as the demo's authorization server has it, which does what a test wants. */
export function createEventStreamer(): EventStreamer {
  const readers = new Set<Reader>();
  const connections: { lastEventId: string | null; at: number; authorization: string | null }[] = [];
  const events: string[] = [];
  let instead: (() => Response) | undefined;
  const framed = (token: string, index: number) => `id: ${index + 1}\nevent: message\ndata: ${token}\n\n`;

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const lastEventId = request.headers.get('last-event-id');
      connections.push({
        lastEventId,
        at: performance.now(),
        authorization: request.headers.get('authorization'),
      });
      if (instead !== undefined) return instead();
      const encoder = new TextEncoder();
      let reader: Reader | undefined;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          reader = {
            send: (text) => controller.enqueue(encoder.encode(text)),
            end: () => controller.close(),
          };
          readers.add(reader);
          const missed = events.map(framed).slice(Number(lastEventId ?? 0));
          reader.send(['retry: 250\n\n', ...missed].join(''));
        },
        cancel() {
          if (reader !== undefined) readers.delete(reader);
        },
      });
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    },
  });

  return {
    url: `http://127.0.0.1:${server.port}/events`,
    connections,
    get open() {
      return readers.size;
    },
    publish(...tokens) {
      for (const token of tokens) {
        events.push(token);
        for (const reader of readers) reader.send(framed(token, events.length - 1));
      }
    },
    write(text) {
      for (const reader of readers) reader.send(text);
    },
    cut() {
      for (const reader of readers) reader.end();
      readers.clear();
    },
    answerWith(answer) {
      instead = answer;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
