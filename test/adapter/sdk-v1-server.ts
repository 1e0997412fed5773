import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Args = Readonly<Record<string, unknown>>;

const text = (words: unknown) => ({ content: [{ type: 'text' as const, text: String(words) }] });
const askName = {
  method: 'elicitation/create' as const,
  params: {
    message: 'Who are you?',
    requestedSchema: { type: 'object' as const, properties: { name: { type: 'string' as const } } },
  },
};

interface State {
  cancelled: number;
  hanging: number;
  readonly subscribed: string[];
}

function toolsOf(
  server: Server,
  state: State,
): Readonly<Record<string, (args: Args, extra: Extra) => object>> {
  return {
    echo: ({ words }) => text(words),
    async progress(_args, { _meta, sendNotification }) {
      const progressToken = _meta?.progressToken;
      if (progressToken === undefined) return text('no token');
      for (const progress of [1, 2, 3]) {
        await sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3 },
        });
      }
      return text('done');
    },
    async log(_args, { sessionId, requestId, sendNotification }) {
      await server.sendLoggingMessage({ level: 'debug', data: 'too quiet' }, sessionId);
      await sendNotification({
        method: 'notifications/message',
        params: { level: 'info', data: { requestId } },
      });
      return text('logged');
    },
    hang(_args, { signal }) {
      const { promise, resolve } = Promise.withResolvers<object>();
      state.hanging++;
      signal.addEventListener('abort', () => {
        state.cancelled++;
        resolve(text('cancelled'));
      });
      return promise;
    },
    async elicit(_args, { sendRequest }) {
      const { action, content } = await sendRequest(askName, ElicitResultSchema);
      return text(`${action} ${content?.name ?? ''}`);
    },
    async 'elicit-beside'() {
      const { action } = await server.elicitInput(askName.params);
      return text(`${action} beside`);
    },
    async 'elicit-twice'(_args, { sendRequest }) {
      const first = await sendRequest(askName, ElicitResultSchema);
      const second = await sendRequest(askName, ElicitResultSchema);
      return text(`${first.content?.name} and ${second.content?.name}`);
    },
    async sample(_args, { sendRequest }) {
      const params = { messages: [], maxTokens: 10 };
      const { model } = await sendRequest(
        { method: 'sampling/createMessage', params },
        CreateMessageResultSchema,
      );
      return text(model);
    },
    async roots(_args, { sendRequest }) {
      const { roots } = await sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
      return text(roots.map(({ uri }) => uri).join(' '));
    },
    link: () => ({ content: [{ type: 'resource_link', uri: 'test://notes/1', name: 'note' }] }),
    fail: () => ({ ...text('it went wrong'), isError: true }),
  };
}

/** One server of the v1 SDK, as an application makes it for each session. */
function createSession(state: State): Server {
  const server = new Server(
    { name: 'sdk-v1', version: '1.2.3' },
    {
      capabilities: {
        logging: {},
        resources: { subscribe: true, listChanged: true },
        tools: { listChanged: true },
        prompts: {},
        completions: {},
      },
    },
  );
  const tools = toolsOf(server, state);
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' as const } })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const run = tools[params.name];
    if (run === undefined) throw new Error(`no tool ${params.name}`);
    return { ...(await run(params.arguments ?? {}, extra)) };
  });
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [{ name: 'greet' }] }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello ${params.arguments?.who}` } }],
  }));
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: [{ name: 'static', uri: 'test://static' }],
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ name: 'note', uriTemplate: 'test://notes/{id}' }],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => ({
    contents: [{ uri, text: `text of ${uri}` }],
  }));
  server.setRequestHandler(CompleteRequestSchema, ({ params: { ref } }) => ({
    completion: { values: [ref.type === 'ref/resource' ? ref.uri : ref.name, 'other'] },
  }));
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    state.subscribed.push(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    state.subscribed.splice(state.subscribed.indexOf(params.uri), 1);
    return {};
  });
  return server;
}

/** A server of the v1 SDK with sessions, over real HTTP. */
export function createSdkV1Server() {
  const sessions = new Map<
    string,
    { readonly server: Server; readonly transport: WebStandardStreamableHTTPServerTransport }
  >();
  const subscribed: string[] = [];
  const state = { cancelled: 0, hanging: 0, subscribed, ended: 0, streams: 0 };
  const http = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const id = request.headers.get('mcp-session-id');
      const known = id === null ? undefined : sessions.get(id);
      if (request.method === 'GET') state.streams++;
      if (known !== undefined) return known.transport.handleRequest(request);
      if (id !== null) return new Response('Session not found', { status: 404 });
      const server = createSession(state);
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (session) => void sessions.set(session, { server, transport }),
        onsessionclosed(session) {
          state.ended++;
          sessions.delete(session);
        },
      });
      await server.connect(transport);
      return transport.handleRequest(request);
    },
  });
  return {
    url: `http://127.0.0.1:${http.port}/mcp`,
    state,
    sessions,
    /** As after a restart: no session is known any more. */
    forget: () => sessions.clear(),
    async [Symbol.asyncDispose]() {
      await http.stop(true);
    },
  };
}
