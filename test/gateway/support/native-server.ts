import { isJsonObject } from '#kernel/json.ts';

/** One HTTP request as the server received it. */
export interface NativeRequest {
  /** Of the JSON-RPC message; the HTTP method where there is none. */
  readonly method: string;
  readonly headers: Headers;
  readonly text: string;
}

export interface NativeServer extends AsyncDisposable {
  readonly origin: string;
  readonly url: string;
  readonly requests: readonly NativeRequest[];
  of(method: string): readonly NativeRequest[];
}

export interface NativeServerOptions {
  /** Whose tokens are accepted, and how one is told. Undefined: nobody needs one. */
  readonly guard?: { readonly issuer: () => string; readonly accepts: (token: string) => Promise<boolean> };
}

const results: Readonly<Record<string, object>> = {
  'server/discover': {
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
    serverInfo: { name: 'native', version: '1' },
    ttlMs: 60_000,
    cacheScope: 'private',
  },
  'tools/list': {
    tools: [
      { name: 'echo', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
      { name: 'create_note', inputSchema: { type: 'object' } },
    ],
  },
  'prompts/list': { prompts: [{ name: 'greet', arguments: [{ name: 'who' }] }] },
  'resources/list': { resources: [{ uri: 'note://one', name: 'one' }] },
  'resources/templates/list': { resourceTemplates: [] },
  'tools/call': { content: [{ type: 'text', text: 'done' }] },
  'prompts/get': { messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }] },
  'resources/read': { contents: [{ uri: 'note://one', text: 'one' }] },
  'completion/complete': { completion: { values: ['ada'] } },
};

/** A third party's MCP server of 2026-07-28 that remembers everything it is sent. */
export function startNativeServer(options: NativeServerOptions = {}): NativeServer {
  const requests: NativeRequest[] = [];
  const { guard } = options;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request): Promise<Response> {
      const text = await request.text();
      const message: unknown = text === '' ? {} : JSON.parse(text);
      const { method = request.method, id } = isJsonObject(message) ? message : {};
      requests.push({ method: String(method), headers: request.headers, text });
      const { pathname, origin } = new URL(request.url);
      if (guard !== undefined && pathname === '/.well-known/oauth-protected-resource/mcp') {
        return Response.json({ resource: `${origin}/mcp`, authorization_servers: [guard.issuer()] });
      }
      if (pathname !== '/mcp') return new Response(null, { status: 404 });
      const token = request.headers.get('authorization')?.replace(/^Bearer /, '');
      if (guard !== undefined && (token === undefined || !(await guard.accepts(token)))) {
        const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
        return new Response(null, { status: 401, headers: { 'www-authenticate': `Bearer ${metadata}` } });
      }
      if (request.method !== 'POST') return new Response(null, { status: 405 });
      if (id === undefined) return new Response(null, { status: 202 });
      const result = results[String(method)];
      const error = { code: -32601, message: 'Method not found' };
      return result === undefined
        ? Response.json({ jsonrpc: '2.0', id, error }, { status: 404 })
        : Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } });
    },
  });
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    origin,
    url: `${origin}/mcp`,
    requests,
    of: (method) => requests.filter((request) => request.method === method),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
