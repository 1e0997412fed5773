/** One request as the peer received it. */
export interface PeerRequest {
  readonly verb: string;
  readonly headers: Headers;
  readonly body: string;
  /** Of the JSON-RPC message; empty for GET and DELETE. */
  readonly method: string;
  readonly id: number | string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  /** Aborted when the caller went away. */
  readonly signal: AbortSignal;
}

export type PeerAnswering = (request: PeerRequest) => Response | Promise<Response>;

/** A hand-written server: it says whatever the test wants, byte for byte. */
export function createRawPeer(answer: PeerAnswering, port = 0) {
  const requests: PeerRequest[] = [];
  let answering = answer;
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const body = await request.text();
      const message = body === '' ? {} : JSON.parse(body);
      const received: PeerRequest = {
        verb: request.method,
        headers: request.headers,
        body,
        method: message.method ?? '',
        id: message.id,
        params: message.params ?? {},
        signal: request.signal,
      };
      requests.push(received);
      return answering(received);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    requests,
    of: (method: string) => requests.filter((request) => request.method === method),
    answer(next: PeerAnswering) {
      answering = next;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

export function result(request: PeerRequest, value: object, init?: ResponseInit): Response {
  return Response.json({ jsonrpc: '2.0', id: request.id, result: value }, init);
}

export function error(
  request: PeerRequest,
  code: number,
  message: string,
  status = 200,
  data?: object,
): Response {
  return Response.json({ jsonrpc: '2.0', id: request.id, error: { code, message, data } }, { status });
}

/** An event stream of these chunks; `open`: it does not end. */
export function stream(chunks: readonly string[], end: 'closed' | 'open' = 'closed', headers = {}): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      if (end === 'closed') controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', ...headers } });
}

export function event(message: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
}

/** Answers what a modern server must; the rest is the test's. */
export function modern(rest: PeerAnswering, capabilities: object = { tools: {} }): PeerAnswering {
  return (request) => {
    if (request.method === 'server/discover') {
      return result(request, { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities });
    }
    if (request.method === 'tools/list') return result(request, { resultType: 'complete', tools: [] });
    return rest(request);
  };
}

/** Answers what a legacy server must, with sessions; the rest is the test's. */
export function legacy(rest: PeerAnswering, capabilities: object = { tools: {} }): PeerAnswering {
  let sessions = 0;
  return (request) => {
    if (request.method === 'server/discover') return new Response('no', { status: 400 });
    if (request.method === 'initialize') {
      const serverInfo = { name: 'raw', version: '1' };
      const value = { protocolVersion: '2025-11-25', capabilities, serverInfo };
      return result(request, value, { headers: { 'mcp-session-id': `session-${++sessions}` } });
    }
    if (request.method.startsWith('notifications/')) return new Response(null, { status: 202 });
    if (request.verb === 'DELETE') return new Response(null, { status: 204 });
    return rest(request);
  };
}

/** No stream for what the server says by itself. */
export function withoutStream(rest: PeerAnswering): PeerAnswering {
  return (request) => (request.verb === 'GET' ? new Response(null, { status: 405 }) : rest(request));
}
