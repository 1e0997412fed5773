import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/** A native MCP server over HTTP, written by hand: it can forget, change its era, and break off in ways no SDK lets it. */
export interface OddServer extends AsyncDisposable {
  readonly url: string;
  /** Names of the tools called so far. */
  readonly called: readonly string[];
  /** As after a restart: it knows no session. */
  forget(): void;
  speak(era: 'legacy' | 'modern'): void;
  /** Nobody listens until it is up again, on the same port. */
  down(): Promise<void>;
  up(): void;
}

const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'text/event-stream' };
const serverInfo = { name: 'by-hand', version: '1' };

export function startOddServer(first: 'legacy' | 'modern'): OddServer {
  let era = first;
  let sessions = new Set<string>();
  const called: string[] = [];
  const modern = () => era === 'modern';
  const resultText = (id: unknown, members: object): string => {
    const result = modern() ? { resultType: 'complete', ...members } : members;
    return JSON.stringify({ jsonrpc: '2.0', id, result });
  };
  const ok = (id: unknown, members: object, headers = {}): Response =>
    new Response(resultText(id, members), { headers: { ...json, ...headers } });
  const event = (text: string): string => `event: message\ndata: ${text}\n\n`;
  const text = (id: unknown, value: string): string =>
    resultText(id, { content: [{ type: 'text', text: value }] });

  type Act = (id: unknown, args: JsonObject) => Response | Promise<Response>;
  const acts = new Map<string, Act>([
    ['echo', (id, args) => new Response(text(id, JSON.stringify(args)), { headers: json })],
    ['hang', () => new Promise(() => {})],
    ['hang-in-stream', () => streamOf((controller) => controller.enqueue(': begun\n\n'))],
    ['break', () => streamOf((controller) => controller.error(new Error('broken')))],
    [
      'break-in-stream',
      () =>
        streamOf((controller) => {
          controller.enqueue(': begun\n\n');
          setTimeout(() => controller.error(new Error('broken')), 50);
        }),
    ],
    ['end-in-stream', () => new Response(': begun\n\n', { headers: stream })],
    [
      'endless',
      () =>
        streamOf((controller) => {
          const chatter = event(
            JSON.stringify({
              jsonrpc: '2.0',
              method: 'notifications/message',
              params: { level: 'info', data: 'x'.repeat(1_000) },
            }),
          );
          const timer = setInterval(() => {
            try {
              for (let turn = 0; turn < 100; turn++) controller.enqueue(chatter);
            } catch {
              clearInterval(timer);
            }
          }, 1);
        }),
    ],
    ['huge', (id) => new Response(text(id, 'x'.repeat(200_000)), { headers: json })],
    ['huge-event', (id) => new Response(event(text(id, 'x'.repeat(200_000))), { headers: stream })],
    ['malformed', () => new Response('{"jsonrpc":', { headers: json })],
    ['malformed-event', () => new Response(event('{"jsonrpc":'), { headers: stream })],
    ['page', () => new Response('<html>sign in</html>', { headers: { 'content-type': 'text/html' } })],
    ['nothing', () => new Response(undefined, { status: 202 })],
    ['no-result', (id) => new Response(JSON.stringify({ jsonrpc: '2.0', id }), { headers: json })],
    ['other-id', () => new Response(text('another', 'for somebody else'), { headers: json })],
    ['away', () => new Response(undefined, { status: 307, headers: { location: 'http://127.0.0.1:9/' } })],
    ['failing', () => new Response('no', { status: 503 })],
    ['gone', () => new Response('{"error":"gone"}', { status: 410, headers: json })],
  ]);
  const tools = [...acts.keys()].map((name) => ({ name, inputSchema: { type: 'object' } }));

  function answer(id: unknown, method: string, params: JsonObject): Response | Promise<Response> {
    const hints = modern() ? { ttlMs: 1_000, cacheScope: 'public' } : {};
    const act = method === 'tools/call' ? acts.get(String(params.name)) : undefined;
    if (act !== undefined) {
      called.push(String(params.name));
      return act(id, isJsonObject(params.arguments) ? params.arguments : {});
    }
    if (method === 'tools/list') return ok(id, { tools, ...hints });
    if (method === 'server/discover' && modern())
      return ok(id, { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo, ...hints });
    const error = { code: -32601, message: 'Method not found' };
    const status = modern() ? 404 : 200;
    return new Response(JSON.stringify({ jsonrpc: '2.0', id, error }), { status, headers: json });
  }

  async function handle(request: Request): Promise<Response> {
    if (request.method === 'DELETE') return new Response(undefined, { status: 200 });
    if (request.method !== 'POST') return new Response(undefined, { status: 405 });
    const message: unknown = await request.json();
    if (!isJsonObject(message) || typeof message.method !== 'string')
      return new Response(undefined, { status: 202 });
    const { id, method } = message;
    const params = isJsonObject(message.params) ? message.params : {};
    if (!modern()) {
      if (method === 'initialize') {
        const session = crypto.randomUUID();
        sessions.add(session);
        const members = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
        return ok(id, members, { 'mcp-session-id': session });
      }
      const session = request.headers.get('mcp-session-id');
      if (session === null) return new Response('{"error":"no session"}', { status: 400, headers: json });
      if (!sessions.has(session))
        return new Response('{"error":"no session"}', { status: 404, headers: json });
    } else if (request.headers.get('mcp-protocol-version') !== '2026-07-28') {
      const error = {
        code: -32022,
        message: 'Unsupported',
        data: { supported: ['2026-07-28'], requested: '' },
      };
      return new Response(JSON.stringify({ jsonrpc: '2.0', id, error }), { status: 400, headers: json });
    }
    if (id === undefined) return new Response(undefined, { status: 202 });
    return answer(id, method, params);
  }

  const listen = (port: number) =>
    Bun.serve({
      port,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      development: false,
      fetch: handle,
      error: () => new Response(undefined),
    });
  let server = listen(0);
  const { port } = server;
  if (port === undefined) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    called,
    forget() {
      sessions = new Set();
    },
    speak(next) {
      era = next;
      sessions = new Set();
    },
    down: () => server.stop(true),
    up() {
      server = listen(port);
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function streamOf(start: (controller: ReadableStreamDefaultController<string>) => void): Response {
  const encoder = new TextEncoder();
  const bytes = new TransformStream<string, Uint8Array>({
    transform: (chunk, controller) => controller.enqueue(encoder.encode(chunk)),
  });
  return new Response(new ReadableStream<string>({ start }).pipeThrough(bytes), { headers: stream });
}
