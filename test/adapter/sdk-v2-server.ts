import { createMcpHandler, inputRequired, Server, type ServerContext } from '@modelcontextprotocol/server';

type Args = Readonly<Record<string, unknown>>;

const text = (words: unknown) => ({ content: [{ type: 'text' as const, text: String(words) }] });

const region = { type: 'string', 'x-mcp-header': 'Region' };

function toolsOf(state: {
  cancelled: number;
  hanging: number;
}): Readonly<Record<string, (args: Args, context: ServerContext) => object | Promise<object>>> {
  return {
    echo: ({ words }) => text(words),
    region: ({ region: where }) => text(`in ${where}`),
    async progress(_args, { mcpReq }) {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken === undefined) return text('no token');
      for (const progress of [1, 2, 3]) {
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3 },
        });
      }
      return text('done');
    },
    async log(_args, { mcpReq }) {
      await mcpReq.log('info', { requestId: mcpReq.id });
      return text('logged');
    },
    hang(_args, { mcpReq }) {
      const { promise, resolve } = Promise.withResolvers<object>();
      state.hanging++;
      mcpReq.signal.addEventListener('abort', () => {
        state.cancelled++;
        resolve(text('cancelled'));
      });
      return promise;
    },
    elicit(_args, { mcpReq }) {
      const { inputResponses } = mcpReq;
      if (inputResponses === undefined) {
        const requestedSchema = {
          type: 'object' as const,
          properties: { name: { type: 'string' as const } },
        };
        return inputRequired({
          inputRequests: { who: inputRequired.elicit({ message: 'Who are you?', requestedSchema }) },
          requestState: 'state of the server',
        });
      }
      return text(JSON.stringify([inputResponses.who, mcpReq.requestState()]));
    },
    link: () => ({ content: [{ type: 'resource_link', uri: 'test://notes/1', name: 'note' }] }),
    fail: () => ({ ...text('it went wrong'), isError: true }),
  };
}

/** A server of the v2 SDK, modern era alone, over real HTTP. `cacheScope` is what its lists say. */
export function createSdkV2Server(cacheScope: 'public' | 'private' = 'private') {
  const state = { cancelled: 0, hanging: 0, tokens: [] as (string | null)[] };
  const tools = toolsOf(state);
  const names = [...Object.keys(tools)];
  const handler = createMcpHandler(
    () => {
      const server = new Server(
        { name: 'sdk-v2', version: '2.3.4' },
        {
          capabilities: {
            logging: {},
            tools: { listChanged: true },
            prompts: {},
            resources: { listChanged: true, subscribe: true },
            completions: {},
          },
        },
      );
      server.setRequestHandler('tools/list', () => ({
        tools: names.map((name) => ({
          name,
          inputSchema: { type: 'object' as const, ...(name === 'region' && { properties: { region } }) },
        })),
        ttlMs: 0,
        cacheScope,
      }));
      server.setRequestHandler('tools/call', async ({ params }, context) => {
        const run = tools[params.name];
        if (run === undefined) throw new Error(`no tool ${params.name}`);
        return { content: [], ...(await run(params.arguments ?? {}, context)) };
      });
      server.setRequestHandler('prompts/list', () => ({
        prompts: [{ name: 'greet' }],
        ttlMs: 0,
        cacheScope,
      }));
      server.setRequestHandler('prompts/get', ({ params }) => ({
        messages: [{ role: 'user', content: { type: 'text', text: `Hello ${params.arguments?.who}` } }],
      }));
      server.setRequestHandler('resources/list', () => ({
        resources: [{ name: 'static', uri: 'test://static' }],
        ttlMs: 0,
        cacheScope,
      }));
      server.setRequestHandler('resources/templates/list', () => ({
        resourceTemplates: [{ name: 'note', uriTemplate: 'test://notes/{id}' }],
        ttlMs: 0,
        cacheScope,
      }));
      server.setRequestHandler('resources/read', ({ params: { uri } }) => ({
        contents: [{ uri, text: `text of ${uri}` }],
        ttlMs: 0,
        cacheScope,
      }));
      server.setRequestHandler('completion/complete', ({ params: { ref } }) => ({
        completion: { values: [ref.type === 'ref/resource' ? ref.uri : ref.name, 'other'] },
      }));
      return server;
    },
    { legacy: 'reject' },
  );
  const http = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch(request) {
      state.tokens.push(request.headers.get('authorization'));
      return handler.fetch(request);
    },
  });
  return {
    url: `http://127.0.0.1:${http.port}/mcp`,
    state,
    names,
    notify: handler.notify,
    async [Symbol.asyncDispose]() {
      await http.stop(true);
    },
  };
}
