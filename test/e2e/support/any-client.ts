import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioTransportV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioTransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { cortexCommand } from '../../support/binary.ts';

export const clientKinds = ['v2, modern', 'v2, legacy', 'v1, legacy'] as const;
export type ClientKind = (typeof clientKinds)[number];

export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
  readonly structured?: unknown;
}
/** What every client makes the same of a definition. */
export interface ToolDefinition {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: unknown;
}
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number) => void;
}

/** What the tests ask of any official client, in whatever version and era. */
export interface AnyClient {
  readonly kind: ClientKind;
  readonly revision: string | undefined;
  readonly sessionId: string | undefined;
  /** What came unasked, in order. */
  readonly heard: readonly string[];
  tools(): Promise<readonly string[]>;
  definitions(): Promise<readonly ToolDefinition[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolAnswer>;
  prompts(): Promise<readonly string[]>;
  prompt(name: string, args?: Record<string, string>): Promise<string>;
  resources(): Promise<readonly string[]>;
  templates(): Promise<readonly string[]>;
  read(uri: string): Promise<string>;
  complete(prompt: string, argument: string, value: string): Promise<readonly string[]>;
  /** Follows a resource, and the list of tools where the era asks for that. */
  follow(uri: string): Promise<void>;
  setLogLevel(level: 'debug' | 'error'): Promise<void>;
  close(): Promise<void>;
}

const info = { name: 'official-client', version: '1.0.0' };
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const logLevelKey = 'io.modelcontextprotocol/logLevel';
const opened = { action: 'accept' as const };
const elicited = { action: 'accept' as const, content: { name: 'Ada' } };
const sampled = { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'Paris' } };
const rooted = { roots: [{ uri: 'file:///work', name: 'work' }] };

/** `stdio`: by way of `cortex stdio`, which the client starts. */
export type Way = 'http' | 'stdio';

export function connectClient(
  kind: ClientKind,
  url: string,
  token: string,
  way: Way = 'http',
): Promise<AnyClient> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  if (kind !== 'v1, legacy') {
    const transport =
      way === 'http'
        ? new TransportV2(new URL(url), { requestInit })
        : new StdioTransportV2(bridgeTo(url, token));
    return connectV2(kind, transport);
  }
  if (way === 'stdio') return overV1(new StdioTransportV1(bridgeTo(url, token)), () => ({}));
  const transport = new TransportV1(new URL(url), { requestInit });
  return overV1(transport, () => transport);
}

function bridgeTo(url: string, token: string) {
  const [command = '', ...args] = cortexCommand();
  const env = { PATH: process.env.PATH ?? '', HOME: '/nowhere', MCP_TOKEN: token };
  const stderr = 'ignore' as const;
  return { command, args: [...args, 'stdio', url, '--token-env', 'MCP_TOKEN'], env, stderr };
}

async function connectV2(
  kind: ClientKind,
  transport: Parameters<ClientV2['connect']>[0],
): Promise<AnyClient> {
  const isModern = kind === 'v2, modern';
  const heard: string[] = [];
  const client = new ClientV2(info, {
    capabilities,
    versionNegotiation: { mode: isModern ? 'auto' : 'legacy' },
  });
  client.setRequestHandler('elicitation/create', async ({ params }) =>
    params.mode === 'url' ? opened : elicited,
  );
  client.setRequestHandler('sampling/createMessage', async () => sampled);
  client.setRequestHandler('roots/list', async () => rooted);
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools changed'));
  client.setNotificationHandler(
    'notifications/resources/updated',
    ({ params }) => void heard.push(`updated ${params.uri}`),
  );
  client.setNotificationHandler(
    'notifications/message',
    ({ params }) => void heard.push(`log ${params.level}`),
  );
  await client.connect(transport);
  let logLevel: string | undefined;
  return {
    kind,
    revision: client.getNegotiatedProtocolVersion(),
    sessionId: transport.sessionId,
    heard,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    definitions: async () => (await client.listTools()).tools.map(definitionOf),
    async call(name, args = {}, { signal, onProgress } = {}) {
      const _meta = logLevel === undefined ? {} : { [logLevelKey]: logLevel };
      const result = await client.callTool(
        { name, arguments: args, ...(isModern && { _meta }) },
        {
          ...(signal && { signal }),
          ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
        },
      );
      return answerOf(result);
    },
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, args = {}) =>
      JSON.stringify((await client.getPrompt({ name, arguments: args })).messages),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => JSON.stringify((await client.readResource({ uri })).contents),
    complete: async (name, argument, value) =>
      (await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } }))
        .completion.values,
    async follow(uri) {
      if (isModern) await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] });
      else await client.subscribeResource({ uri });
    },
    async setLogLevel(level) {
      if (isModern) logLevel = level;
      else await client.setLoggingLevel(level);
    },
    close: () => client.close(),
  };
}

/** A server of one's own as a child, without any gateway: what it says to it is what it should say through one. */
export function connectDirectly(command: readonly string[]): Promise<AnyClient> {
  const [program = '', ...args] = command;
  const env = { PATH: process.env.PATH ?? '' };
  return overV1(new StdioTransportV1({ command: program, args, env, stderr: 'ignore' }), () => ({}));
}

async function overV1(
  transport: Parameters<ClientV1['connect']>[0],
  agreed: () => { readonly protocolVersion?: string | undefined; readonly sessionId?: string | undefined },
): Promise<AnyClient> {
  const heard: string[] = [];
  const client = new ClientV1(info, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) =>
    params.mode === 'url' ? opened : elicited,
  );
  client.setRequestHandler(CreateMessageRequestSchema, async () => sampled);
  client.setRequestHandler(ListRootsRequestSchema, async () => rooted);
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools changed'));
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void heard.push(`updated ${params.uri}`),
  );
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void heard.push(`log ${params.level}`),
  );
  await client.connect(transport);
  return {
    kind: 'v1, legacy',
    revision: agreed().protocolVersion,
    sessionId: agreed().sessionId,
    heard,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    definitions: async () => (await client.listTools()).tools.map(definitionOf),
    async call(name, args = {}, { signal, onProgress } = {}) {
      const result = await client.callTool({ name, arguments: args }, undefined, {
        ...(signal && { signal }),
        ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
      });
      return answerOf(result);
    },
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, args = {}) =>
      JSON.stringify((await client.getPrompt({ name, arguments: args })).messages),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => JSON.stringify((await client.readResource({ uri })).contents),
    complete: async (name, argument, value) =>
      (await client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: argument, value } }))
        .completion.values,
    async follow(uri) {
      await client.subscribeResource({ uri });
    },
    async setLogLevel(level) {
      await client.setLoggingLevel(level);
    },
    close: () => client.close(),
  };
}

function definitionOf(tool: ToolDefinition): ToolDefinition {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  return { name, title, description, inputSchema, outputSchema, annotations };
}

function answerOf(result: Readonly<Record<string, unknown>>): ToolAnswer {
  return {
    text: JSON.stringify(result.content),
    isError: result.isError === true,
    ...(result.structuredContent !== undefined && { structured: result.structuredContent }),
  };
}
