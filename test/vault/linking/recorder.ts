/** What a server was sent, to look for what must not be there. */
export interface Recorded {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

export interface RecordingServer {
  readonly origin: string;
  readonly requests: Recorded[];
  /** The requests to one path, oldest first. */
  to(path: string): readonly Recorded[];
  close(): void;
}

/** A real server on this machine that remembers every request. */
export function startRecorder(
  answer: (request: Request, body: string, address: string) => Response | Promise<Response>,
): RecordingServer {
  const requests: Recorded[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request, self) {
      const body = await request.text();
      const { method, headers } = request;
      requests.push({ method, url: new URL(request.url), headers, body });
      const copy = new Request(request.url, { method, headers, ...(body === '' ? {} : { body }) });
      return answer(copy, body, self.requestIP(request)?.address ?? 'unknown');
    },
  });
  return {
    origin: server.url.origin,
    requests,
    to: (path) => requests.filter(({ url }) => url.pathname === path),
    close: () => void server.stop(true),
  };
}

/** The form of a recorded request. */
export function formOf(recorded: Recorded | undefined): URLSearchParams {
  return new URLSearchParams(recorded?.body ?? '');
}
