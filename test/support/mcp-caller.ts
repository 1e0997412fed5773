import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { encodeHeaderValue } from '#wire/header-value.ts';
import { type EventReader, readEvents } from './event-reader.ts';

/** One answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as one JSON-RPC message; `{}` where there is none. */
  readonly message: JsonObject;
  readonly result: JsonObject;
  readonly error: JsonObject;
  /** The text of the first content block of a tool result. */
  readonly said: string;
  readonly isError: boolean;
}

export interface Ask {
  /** Over the headers that a well-behaved client sends; null takes one away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** The query of the URL, with its `?`. */
  readonly search?: string;
  /** Into `_meta`, over the required keys; null takes one away. */
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly capabilities?: JsonObject;
  readonly id?: string | number;
  readonly signal?: AbortSignal;
}

/** One client with one token. */
export interface McpCaller {
  readonly token: string;
  /** Any request to `/mcp` with the token. */
  send(init: RequestInit, search?: string): Promise<Response>;
  /** A request of 2026-07-28 whose answer is one JSON document. */
  modern(method: string, params?: JsonObject, ask?: Ask): Promise<Answer>;
  /** The same, answered by an event stream. */
  modernStream(method: string, params?: JsonObject, ask?: Ask): Promise<EventReader>;
  tool(name: string, args?: JsonObject, ask?: Ask): Promise<Answer>;
  listen(notifications: JsonObject, ask?: Ask): Promise<EventReader>;
  /** Opens a session of the older protocol. */
  initialize(options?: {
    readonly revision?: string;
    readonly capabilities?: JsonObject;
    readonly search?: string;
  }): Promise<LegacyClient>;
  /** A session that somebody else, or somebody before, opened. */
  session(id: string, revision?: string): LegacyClient;
}

export interface LegacyClient {
  readonly id: string;
  /** Of `initialize`; `{}` where the session was taken over. */
  readonly answer: Answer | undefined;
  request(method: string, params?: JsonObject, ask?: Ask): Promise<Answer>;
  stream(method: string, params?: JsonObject, ask?: Ask): Promise<EventReader>;
  tool(name: string, args?: JsonObject, ask?: Ask): Promise<Answer>;
  notify(method: string, params?: JsonObject): Promise<Response>;
  respond(id: unknown, result: JsonObject): Promise<Response>;
  /** Any body at all. */
  post(body: unknown): Promise<Response>;
  get(headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The GET stream. */
  events(): Promise<EventReader>;
  end(): Promise<Response>;
}

export const modernRevision = '2026-07-28';
const accept = 'application/json, text/event-stream';
const nameOf: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

export function createCaller(token: string, fetch: (request: Request) => Promise<Response>): McpCaller {
  let lastId = 0;
  const authorization = `Bearer ${token}`;

  const send = (init: RequestInit, search = ''): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', authorization);
    return fetch(new Request(`http://127.0.0.1:3213/mcp${search}`, { ...init, headers }));
  };

  function postModern(method: string, params: JsonObject, ask: Ask, accepted: string): Promise<Response> {
    lastId += 1;
    const { id = lastId, capabilities = {} } = ask;
    const named = params[nameOf[method] ?? ''];
    const headers = withoutNull({
      'content-type': 'application/json',
      accept: accepted,
      'mcp-protocol-version': modernRevision,
      'mcp-method': method,
      ...(typeof named === 'string' && { 'mcp-name': encodeHeaderValue(named) }),
      ...ask.headers,
    });
    const _meta = withoutNull({
      'io.modelcontextprotocol/protocolVersion': modernRevision,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': capabilities,
      ...ask.meta,
    });
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } });
    return send({ method: 'POST', headers, body, ...(ask.signal && { signal: ask.signal }) }, ask.search);
  }

  const modern = async (method: string, params: JsonObject = {}, ask: Ask = {}): Promise<Answer> =>
    readAnswer(await postModern(method, params, ask, accept));

  async function initialize(
    options: { revision?: string; capabilities?: JsonObject; search?: string } = {},
  ): Promise<LegacyClient> {
    const { revision = '2025-11-25', capabilities = {}, search = '' } = options;
    const params = { protocolVersion: revision, capabilities, clientInfo: { name: 'test', version: '1' } };
    const response = await send(
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
      },
      search,
    );
    const id = response.headers.get('mcp-session-id') ?? '';
    return legacyClient(id, revision, search, await readAnswer(response));
  }

  function legacyClient(
    session: string,
    revision: string,
    search: string,
    answer: Answer | undefined,
  ): LegacyClient {
    const base = { 'mcp-session-id': session, 'mcp-protocol-version': revision };
    const post = (body: unknown, ask: Ask = {}): Promise<Response> =>
      send(
        {
          method: 'POST',
          headers: withoutNull({ 'content-type': 'application/json', accept, ...base, ...ask.headers }),
          body: JSON.stringify(body),
          ...(ask.signal && { signal: ask.signal }),
        },
        ask.search ?? search,
      );
    const ask = (method: string, params: JsonObject, options: Ask): Promise<Response> => {
      lastId += 1;
      const { id = lastId, meta } = options;
      const sent = meta === undefined ? params : { ...params, _meta: meta };
      return post({ jsonrpc: '2.0', id, method, params: sent }, options);
    };
    const request = async (method: string, params: JsonObject = {}, options: Ask = {}): Promise<Answer> =>
      readAnswer(await ask(method, params, options));
    const get = (headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      send({ headers: { accept: 'text/event-stream', ...base, ...headers } }, search);
    return {
      id: session,
      answer,
      request,
      stream: async (method, params = {}, options = {}) => readEvents(await ask(method, params, options)),
      tool: (name, args = {}, options = {}) => request('tools/call', { name, arguments: args }, options),
      notify: (method, params = {}) => post({ jsonrpc: '2.0', method, params }),
      respond: (id, result) => post({ jsonrpc: '2.0', id, result }),
      post,
      get,
      events: async () => readEvents(await get()),
      end: () => send({ method: 'DELETE', headers: base }),
    };
  }

  return {
    token,
    send,
    modern,
    modernStream: async (method, params = {}, ask = {}) =>
      readEvents(await postModern(method, params, ask, accept)),
    tool: (name, args = {}, ask = {}) => modern('tools/call', { name, arguments: args }, ask),
    listen: async (notifications, ask = {}) =>
      readEvents(await postModern('subscriptions/listen', { notifications }, ask, accept)),
    initialize,
    session: (id, revision = '2025-11-25') => legacyClient(id, revision, '', undefined),
  };
}

function withoutNull<T>(values: Readonly<Record<string, T | null>>): Record<string, T> {
  const kept: Record<string, T> = {};
  for (const [key, value] of Object.entries(values)) if (value !== null) kept[key] = value;
  return kept;
}

/** Reads an answer whole; the last message of an event stream is its answer. */
export async function readAnswer(response: Response): Promise<Answer> {
  const isStream = response.headers.get('content-type') === 'text/event-stream';
  const text = isStream
    ? JSON.stringify((await readEvents(response).rest()).at(-1) ?? {})
    : await response.text();
  const message = parse(text);
  const result = objectAt(message, 'result');
  const [first] = Array.isArray(result.content) ? result.content : [];
  const said = isJsonObject(first) && typeof first.text === 'string' ? first.text : '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    message,
    result,
    error: objectAt(message, 'error'),
    said,
    isError: result.isError === true,
  };
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** The object at a key; `{}` where there is none. */
export function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

/** The names (or URIs) of a list, in its order. */
export function namesIn(answer: Answer, list: string, key = 'name'): readonly string[] {
  const items = answer.result[list];
  return Array.isArray(items) ? items.map((item) => String(isJsonObject(item) ? item[key] : '')) : [];
}
