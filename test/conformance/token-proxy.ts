export interface TokenProxy extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

export interface TokenProxyOptions {
  readonly port: number;
  /** Origin to forward to, such as `http://127.0.0.1:3213`. */
  readonly target: string;
  /** The bearer token for the next request. */
  token(): string;
}

/**
 * A loopback proxy that adds `Authorization` and nothing else: Host, Origin and every other header go on as they
 * came, and both bodies stream. The official suite cannot send a token.
 */
export function startTokenProxy(options: TokenProxyOptions): TokenProxy {
  const server = Bun.serve({
    port: options.port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${options.token()}`);
      const answer = await fetch(`${options.target}${pathname}${search}`, {
        method: request.method,
        headers,
        body: request.body,
        redirect: 'manual',
        decompress: false,
        signal: request.signal,
      });
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    },
  });
  const close = () => server.stop(true);
  return { url: `http://localhost:${server.port}`, close, [Symbol.asyncDispose]: close };
}
