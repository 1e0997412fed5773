import type { JsonObject } from '#kernel/json.ts';
import type { Era } from '#wire/protocol.ts';
import { createRawPeer, event, legacy, modern, type PeerRequest, result } from '../../adapter/raw-peer.ts';

/** A third party's server of one era: it lists to each token what it is told to, asks its users, and tells news. */
export interface TalkingServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly PeerRequest[];
  /** Names of the tools that a token sees. */
  lists(token: string, ...tools: readonly string[]): void;
  /** Says on every stream that this token has open. */
  tell(token: string, method: string, params?: JsonObject): Promise<void>;
}

const question = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object' } },
};
const listChanged = { listChanged: true };
const capabilities = {
  tools: listChanged,
  prompts: listChanged,
  resources: { ...listChanged, subscribe: true },
  logging: {},
  completions: {},
};
const tokenOf = ({ headers }: PeerRequest) => headers.get('authorization')?.slice('Bearer '.length) ?? '';
const text = (said: string) => ({ content: [{ type: 'text', text: said }] });

interface OpenStream {
  readonly token: string;
  readonly id: string | number | undefined;
  readonly send: (message: object) => void;
}

export function startTalkingServer(era: Era): TalkingServer {
  const tools = new Map<string, readonly string[]>();
  const streams = new Set<OpenStream>();
  /** Questions of a legacy call: by id, what goes on with the answer. */
  const asked = new Map<string, (answer: unknown) => void>();
  let questions = 0;

  /** A stream that stays open until the caller goes away. */
  function openStream(
    request: PeerRequest,
    first: object | undefined,
    isNews: boolean,
  ): [Response, OpenStream, () => void] {
    const encoder = new TextEncoder();
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const open: OpenStream = {
      token: tokenOf(request),
      id: request.id,
      send: (message) => controller?.enqueue(encoder.encode(event(message))),
    };
    const body = new ReadableStream<Uint8Array>({
      start(started) {
        controller = started;
        if (first !== undefined) open.send(first);
      },
      cancel: () => void streams.delete(open),
    });
    if (isNews) streams.add(open);
    const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    return [response, open, () => controller?.close()];
  }

  function call(request: PeerRequest): Response {
    const { name, arguments: args } = request.params;
    const done = (said: string) =>
      era === 'modern' ? { resultType: 'complete', ...text(said) } : text(said);
    if (name !== 'ask')
      return result(request, done(`${String(name)} for ${tokenOf(request)} ${JSON.stringify(args)}`));
    if (era === 'modern') {
      const { inputResponses, requestState } = request.params;
      return inputResponses === undefined
        ? result(request, {
            resultType: 'input_required',
            inputRequests: { q: question },
            requestState: 'its own',
          })
        : result(request, done(`${requestState} ${JSON.stringify(inputResponses)}`));
    }
    const id = `q${++questions}`;
    const [response, open, close] = openStream(request, { id, ...question }, false);
    asked.set(id, (answer) => {
      open.send({ id: request.id, result: done(JSON.stringify(answer)) });
      close();
    });
    return response;
  }

  const rest = (request: PeerRequest): Response => {
    const complete = (value: object) =>
      result(
        request,
        era === 'modern' ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...value } : value,
      );
    switch (request.method) {
      case 'tools/list': {
        const names = tools.get(tokenOf(request)) ?? [];
        return complete({ tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) });
      }
      case 'prompts/list':
        return complete({ prompts: [{ name: 'greet' }] });
      case 'resources/list':
        return complete({ resources: [{ uri: 'note://1', name: 'one' }] });
      case 'resources/templates/list':
        return complete({ resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'note' }] });
      case 'resources/read':
        return complete({ contents: [{ uri: String(request.params.uri), text: tokenOf(request) }] });
      case 'prompts/get':
        return complete({ messages: [{ role: 'user', content: { type: 'text', text: tokenOf(request) } }] });
      case 'completion/complete':
        return complete({ completion: { values: [JSON.stringify(request.params.ref)] } });
      case 'tools/call':
        return call(request);
      case 'subscriptions/listen': {
        const meta = { 'io.modelcontextprotocol/subscriptionId': request.id };
        const acknowledged = {
          method: 'notifications/subscriptions/acknowledged',
          params: { _meta: meta, notifications: request.params.notifications },
        };
        return openStream(request, acknowledged, true)[0];
      }
      case '': {
        if (request.verb === 'GET') return openStream(request, undefined, true)[0];
        const answer = JSON.parse(request.body);
        asked.get(answer.id)?.(answer.result ?? answer.error);
        return new Response(null, { status: 202 });
      }
      default:
        return complete({});
    }
  };
  const discover = modern(rest, capabilities);
  const serve =
    era === 'legacy'
      ? legacy(rest, capabilities)
      : (request: PeerRequest) => (request.method === 'tools/list' ? rest(request) : discover(request));
  const peer = createRawPeer((request) =>
    tools.has(tokenOf(request)) ? serve(request) : new Response(null, { status: 401 }),
  );

  return {
    url: peer.url,
    requests: peer.requests,
    lists: (token, ...names) => void tools.set(token, names),
    async tell(token, method, params = {}) {
      const listening = () => [...streams].filter((stream) => stream.token === token);
      while (listening().length === 0) await Bun.sleep(5);
      for (const { id, send } of listening()) {
        const _meta = era === 'modern' ? { 'io.modelcontextprotocol/subscriptionId': id } : undefined;
        send({ method, params: { ...params, ...(_meta && { _meta }) } });
      }
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
