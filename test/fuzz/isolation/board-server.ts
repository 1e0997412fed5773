import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { canariesIn, canary, type Owner, owners } from './canary.ts';

/** What one account has to hear of the server by itself. */
export type News = 'lists' | 'resource';

/** A third party's MCP server whose every list, answer, question, error and notification is one account's alone. */
export interface BoardServer extends AsyncDisposable {
  readonly url: string;
  /** Requests that came with one account's token and another's canary. */
  readonly mixed: readonly string[];
  /** Changes the lists of an account, or one of its resources, and tells so. */
  tell(owner: Owner, news: News): void;
}

interface Stream {
  readonly owner: Owner;
  readonly id: unknown;
  readonly send: (message: object) => void;
}

const encoder = new TextEncoder();
const subscriptionId = 'io.modelcontextprotocol/subscriptionId';
const framed = (message: object) =>
  encoder.encode(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
const text = (said: string) => ({ content: [{ type: 'text', text: said }] });
const listChanged = { listChanged: true };

export function startBoardServer(options: {
  /** Where its accounts are. */
  readonly issuer: () => string;
  /** The address of the account that a token is of; undefined: it is not accepted. */
  readonly accountOf: (token: string) => Promise<string | undefined>;
}): BoardServer {
  const versions = new Map<Owner, number>();
  const streams = new Set<Stream>();
  const mixed: string[] = [];

  function lists(owner: Owner): Readonly<Record<string, object>> {
    const version = versions.get(owner) ?? 0;
    const description = `${canary(owner, 'list')} ${version}`;
    const inputSchema = { type: 'object', properties: { q: { type: 'string', description } } };
    const names = [
      `${owner}_own`,
      canary(owner, 'tool'),
      'find',
      'ask',
      'fail',
      'log',
      ...(version % 2 ? ['more'] : []),
    ];
    const uri = `board://${owner}/1`;
    return {
      'tools/list': { tools: names.map((name) => ({ name, description, inputSchema })) },
      'prompts/list': { prompts: [{ name: 'plan', description, arguments: [{ name: 'q' }] }] },
      'resources/list': {
        resources: [
          { uri, name: description },
          { uri: 'board://everybody', name: description },
          { uri: `board://${canary(owner, 'tool')}`, name: description },
        ],
      },
      'resources/templates/list': {
        resourceTemplates: [{ uriTemplate: `board://${owner}/{id}`, name: description }],
      },
      'resources/read': { contents: [{ uri, text: canary(owner, 'result') }] },
      'prompts/get': {
        messages: [{ role: 'user', content: { type: 'text', text: canary(owner, 'result') } }],
      },
      'completion/complete': { completion: { values: [canary(owner, 'result')] } },
    };
  }

  function called(owner: Owner, id: unknown, params: JsonObject): Response | object {
    const meta = isJsonObject(params._meta) ? params._meta : {};
    switch (params.name) {
      case 'fail':
        return Response.json({
          jsonrpc: '2.0',
          id,
          error: { code: -32000, message: canary(owner, 'error') },
        });
      case 'ask':
        if (isJsonObject(params.inputResponses))
          return text(`${canary(owner, 'result')} ${params.requestState}`);
        return {
          resultType: 'input_required',
          requestState: canary(owner, 'state'),
          inputRequests: {
            q: {
              method: 'elicitation/create',
              params: {
                message: canary(owner, 'question'),
                requestedSchema: { type: 'object', properties: {} },
              },
            },
          },
        };
      case 'log': {
        const said = [
          { method: 'notifications/message', params: { level: 'error', data: canary(owner, 'news') } },
          ...(meta.progressToken === undefined
            ? []
            : [
                {
                  method: 'notifications/progress',
                  params: { progressToken: meta.progressToken, progress: 1, message: canary(owner, 'news') },
                },
              ]),
          { id, result: { resultType: 'complete', ...text(canary(owner, 'result')) } },
        ];
        return new Response(Buffer.concat(said.map(framed)), {
          headers: { 'content-type': 'text/event-stream' },
        });
      }
      default:
        return text(`${canary(owner, 'result')} ${JSON.stringify(params.arguments)}`);
    }
  }

  /** The listening that stays open, acknowledged at once. */
  function listening(owner: Owner, id: unknown, notifications: unknown): Response {
    let stop = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const stream: Stream = { owner, id, send: (message) => controller.enqueue(framed(message)) };
        streams.add(stream);
        stop = () => void streams.delete(stream);
        const params = { _meta: { [subscriptionId]: id }, notifications };
        stream.send({ method: 'notifications/subscriptions/acknowledged', params });
      },
      cancel: () => stop(),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  function answer(owner: Owner, method: unknown, id: unknown, params: JsonObject): Response {
    const complete = (result: object) =>
      Response.json({
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result },
      });
    if (method === 'subscriptions/listen') return listening(owner, id, params.notifications);
    if (method === 'server/discover') {
      return complete({
        supportedVersions: ['2026-07-28'],
        capabilities: {
          tools: listChanged,
          prompts: listChanged,
          resources: { ...listChanged, subscribe: true },
          completions: {},
          logging: {},
        },
        serverInfo: { name: 'board', version: '1' },
        instructions: canary(owner, 'list'),
      });
    }
    if (method === 'tools/call') {
      const made = called(owner, id, params);
      return made instanceof Response ? made : complete(made);
    }
    return complete(lists(owner)[String(method)] ?? {});
  }

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request): Promise<Response> {
      const { pathname, origin } = new URL(request.url);
      const metadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
      if (pathname === '/.well-known/oauth-protected-resource/mcp') {
        const scopes = { scopes_supported: ['openid', 'board'] };
        return Response.json({
          resource: `${origin}/mcp`,
          authorization_servers: [options.issuer()],
          ...scopes,
        });
      }
      if (pathname !== '/mcp' || request.method !== 'POST') return new Response(null, { status: 405 });
      const body = await request.text();
      const token = request.headers.get('authorization')?.slice('Bearer '.length);
      const account = token === undefined ? undefined : await options.accountOf(token);
      const owner = owners.find((one) => account?.includes(`-${one}-`));
      if (owner === undefined) {
        const challenge = `Bearer resource_metadata="${metadataUrl}", scope="openid board"`;
        return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
      }
      for (const { owner: whose, found } of canariesIn(JSON.stringify([...request.headers]) + body)) {
        if (whose !== owner) mixed.push(`${found} came with the account of ${owner}`);
      }
      const parsed = parseJson(body);
      const message = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
      if (message.id === undefined) return new Response(null, { status: 202 });
      const params = isJsonObject(message.params) ? message.params : {};
      return answer(owner, message.method, message.id, params);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    mixed,
    tell(owner, news) {
      if (news === 'lists') versions.set(owner, (versions.get(owner) ?? 0) + 1);
      for (const stream of streams) {
        if (stream.owner !== owner) continue;
        const _meta = { [subscriptionId]: stream.id };
        const [method, params] =
          news === 'lists'
            ? ['notifications/tools/list_changed', { _meta }]
            : ['notifications/resources/updated', { _meta, uri: `board://${canary(owner, 'tool')}` }];
        stream.send({ method, params });
      }
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
