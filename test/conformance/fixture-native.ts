import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { ResultSchema, type ServerRequest, ServerRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, Server as ModernServer } from '@modelcontextprotocol/server';
import { metaKeys } from '../../src/wire/protocol.ts';
import { rpcErrors } from '../../src/wire/rpc-errors.ts';
import { createAnswers } from './fixture-answers.ts';
import type { Fixture } from './fixture-backend.ts';
import { isRecord } from './fixture-tools.ts';

export type NativeEra = 'modern' | 'legacy';

const info = { name: 'conformance-fixture', version: '1.0.0' };
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
};

/**
 * The fixture as a native MCP server on the official SDKs: 2026-07-28 alone on version 2, the 2025 revisions with their
 * sessions on version 1. Names, contents and questions are those of the first-party fixture.
 */
export function startNativeFixture(options: {
  readonly port: number;
  readonly era: NativeEra;
  /** The bearer token that every request must carry. */
  readonly token: string;
}): Fixture {
  const serve = options.era === 'modern' ? modernServer() : legacyServer();
  const server = Bun.serve({
    port: options.port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: (request) =>
      request.headers.get('authorization') === `Bearer ${options.token}`
        ? serve(request)
        : new Response('unauthorized', { status: 401 }),
  });
  const close = () => server.stop(true);
  return { url: `http://127.0.0.1:${server.port}`, close, [Symbol.asyncDispose]: close };
}

function modernServer(): (request: Request) => Promise<Response> {
  const answer = createAnswers({
    resourceNotFound: rpcErrors.invalidParams,
    async changed(kind) {
      if (kind === 'tools') handler.notify.toolsChanged();
      else handler.notify.promptsChanged();
    },
  });
  const handler = createMcpHandler(
    () => {
      const server = new ModernServer(info, { capabilities });
      server.fallbackRequestHandler = (request, context) => {
        const { notify, envelope, inputResponses, requestState, _meta } = context.mcpReq;
        const lifted: unknown = envelope;
        const described = isRecord(lifted) ? lifted : {};
        const declared = described[metaKeys.clientCapabilities];
        return answer(request.method, request.params ?? {}, {
          inputResponses,
          requestState: requestState<string>(),
          clientCapabilities: new Set(Object.keys(isRecord(declared) ? declared : {})),
          progress: (event) => {
            const params = { progressToken: _meta?.progressToken, ...event };
            void notify({ method: 'notifications/progress', params });
          },
          log: (event) => {
            if (described[metaKeys.logLevel] === undefined) return;
            void notify({ method: 'notifications/message', params: { ...event } });
          },
        });
      };
      return server;
    },
    { legacy: 'reject' },
  );
  return (request) => handler.fetch(request);
}

interface Session {
  readonly server: LegacyServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

function legacyServer(): (request: Request) => Promise<Response> {
  const sessions = new Map<string, Session>();
  const answer = createAnswers({
    resourceNotFound: rpcErrors.resourceNotFound,
    async changed(kind) {
      for (const { server } of sessions.values()) {
        if (kind === 'tools') await server.sendToolListChanged();
        else await server.sendPromptListChanged();
      }
    },
  });

  async function open(): Promise<Session> {
    const server = new LegacyServer(info, { capabilities });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    server.fallbackRequestHandler = async (request, extra) => {
      const params = request.params ?? {};
      const progressToken = extra._meta?.progressToken;
      const { sendNotification: send } = extra;
      let answers: Readonly<Record<string, unknown>> = {};
      let requestState: string | undefined;
      for (;;) {
        const said = await answer(request.method, params, {
          inputResponses: answers,
          requestState,
          clientCapabilities: new Set(Object.keys(server.getClientCapabilities() ?? {})),
          progress(event) {
            if (progressToken === undefined) return;
            void send({
              method: 'notifications/progress',
              params: { progressToken, progress: 0, ...event },
            });
          },
          log: (event) =>
            void send({
              method: 'notifications/message',
              params: { level: 'info', data: '', ...event },
            }),
        });
        if (said.resultType !== 'input_required') return said;
        requestState = typeof said.requestState === 'string' ? said.requestState : undefined;
        answers = await askAll(said.inputRequests, (question) => extra.sendRequest(question, ResultSchema));
        if (Object.keys(answers).length === 0) throw new Error('nothing that was asked could be answered');
      }
    };
    await server.connect(transport);
    return { server, transport };
  }

  return async (request) => {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return (await open()).transport.handleRequest(request);
    const session = sessions.get(id);
    return session === undefined
      ? new Response('no such session', { status: 404 })
      : session.transport.handleRequest(request);
  };
}

/** Asks all at once; a question that the client cannot answer has no answer. */
async function askAll(
  questions: unknown,
  ask: (question: ServerRequest) => Promise<object>,
): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {};
  await Promise.all(
    Object.entries(isRecord(questions) ? questions : {}).map(async ([key, question]) => {
      const answered = await ask(ServerRequestSchema.parse(question)).catch(() => undefined);
      if (answered !== undefined) answers[key] = answered;
    }),
  );
  return answers;
}
