import { randomId } from '#kernel/ids.ts';
import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import {
  errorText,
  notificationText,
  parseMessage,
  type RpcId,
  type RpcMessage,
  requestText,
} from '#wire/json-rpc.ts';
import { metaKeys } from '#wire/protocol.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { UserError } from '../errors.ts';
import { visibleText } from '../visible-text.ts';
import { type Exchanged, errorCodeOf, exchange, whyNone } from './exchange.ts';
import { keepOpen } from './reopening.ts';
import { createParamMemory, modernHeaders, modernRevisionOf } from './request-headers.ts';
import { createSession } from './session.ts';
import type { Upstream } from './upstream.ts';

type RpcRequest = RpcMessage & { readonly kind: 'request' };
type OnMessage = (text: string, message: RpcMessage) => void;

/** A client that speaks MCP over lines, in front of a gateway that speaks it over HTTP; both eras. */
export interface Bridge {
  /** One line of the client's. */
  take(line: string): void;
  /** Resolves when every request but the streams is answered. */
  settled(): Promise<void>;
  end(): Promise<void>;
}

interface BridgeDeps {
  readonly upstream: Upstream;
  /** One line to the client. */
  readonly write: (text: string) => void;
  readonly note: (text: string) => void;
  readonly random: () => number;
}

const listenMethod = 'subscriptions/listen';
const acknowledged = 'notifications/subscriptions/acknowledged';
const maxPages = 100;

export function createBridge({ upstream, write, note, random }: BridgeDeps): Bridge {
  const stop = new AbortController();
  const inFlight = new Map<RpcId, AbortController>();
  const pending = new Set<Promise<void>>();
  const memory = createParamMemory();
  const session = createSession({ upstream, write, stop: stop.signal, random });
  const relay = (text: string) => write(text);

  function finish(request: RpcRequest, done: Exchanged, signal: AbortSignal): void {
    // Who cancelled does not wait for an answer.
    if (signal.aborted) return;
    if (done.response !== undefined) write(done.response.text);
    else write(errorText(request.id, rpcErrors.serverError, whyNone(done, request.method), undefined));
  }

  async function modern(request: RpcRequest, text: string, revision: string, signal: AbortSignal) {
    const { id, method, params } = request;
    const ask = (onMessage: OnMessage, stream?: { readonly isBackground: boolean }) =>
      exchange(upstream, {
        id,
        text,
        headers: modernHeaders(method, params, revision, memory),
        signal,
        isStream: stream !== undefined,
        isBackground: stream?.isBackground === true,
        isRepeatable: method !== 'tools/call',
        onMessage,
      });
    if (method === listenMethod) return keepListening(request, ask, signal);
    let done = await ask(relay);
    if (errorCodeOf(done) === rpcErrors.headerMismatch && (await learnTools(request, revision, signal)))
      done = await ask(relay);
    if (method === 'tools/list' && done.response !== undefined) memory.learn(done.response.text);
    finish(request, done, signal);
  }

  /** The client never sees that the stream broke, but hears that anything may have changed meanwhile. */
  async function keepListening(
    request: RpcRequest,
    ask: (onMessage: OnMessage, stream: { readonly isBackground: boolean }) => Promise<Exchanged>,
    signal: AbortSignal,
  ): Promise<void> {
    let isKnown = false;
    await keepOpen(
      async () => {
        const onMessage: OnMessage = (text, message) => {
          const isAgain = isKnown && message.kind === 'notification' && message.method === acknowledged;
          if (message.kind === 'notification' && message.method === acknowledged) isKnown = true;
          if (!isAgain) write(text);
          else for (const line of changesOf(request.id, message.params.notifications)) write(line);
        };
        const done = await ask(onMessage, { isBackground: isKnown });
        const isRefused = errorCodeOf(done) !== undefined;
        if (isKnown && !isRefused) return 'again';
        finish(request, done, signal);
        return 'over';
      },
      { signal, random },
    );
  }

  /** Lists the tools for what the headers of a call have to say. */
  async function learnTools(request: RpcRequest, revision: string, signal: AbortSignal): Promise<boolean> {
    const { _meta } = request.params;
    let cursor: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      const id = `cortex-stdio-tools-${page}`;
      const params = { ...(isJsonObject(_meta) && { _meta }), ...(cursor !== undefined && { cursor }) };
      const { response } = await exchange(upstream, {
        id,
        text: requestText(id, 'tools/list', params),
        headers: modernHeaders('tools/list', params, revision, memory),
        signal,
        isStream: false,
        isRepeatable: true,
        onMessage: () => {},
      });
      const result = response?.message.result;
      if (response === undefined || result === undefined) return false;
      memory.learn(response.text);
      cursor = stringAt(result, 'nextCursor');
      if (cursor === undefined) return true;
    }
    return true;
  }

  async function legacy(request: RpcRequest, text: string, signal: AbortSignal) {
    if (request.method === 'initialize')
      return finish(request, await session.begin(request, text, signal), signal);
    session.remember(request);
    const ask = (headers: Readonly<Record<string, string>>) =>
      exchange(upstream, {
        id: request.id,
        text,
        headers,
        signal,
        isStream: false,
        isRepeatable: request.method !== 'tools/call',
        onMessage: relay,
      });
    const headers = session.headers();
    let done = await ask(headers);
    const isLost = done.answer.kind === 'answered' && done.answer.status === 404;
    if (isLost && headers['Mcp-Session-Id'] !== undefined && (await session.renew(headers)))
      done = await ask(session.headers());
    finish(request, done, signal);
  }

  async function answer(request: RpcRequest, text: string): Promise<void> {
    const abort = new AbortController();
    const signal = AbortSignal.any([stop.signal, abort.signal]);
    inFlight.set(request.id, abort);
    const revision = modernRevisionOf(request.params);
    try {
      if (revision === undefined) await legacy(request, text, signal);
      else await modern(request, text, revision, signal);
    } catch (error) {
      if (!signal.aborted) refuse(request.id, error);
    } finally {
      if (inFlight.get(request.id) === abort) inFlight.delete(request.id);
    }
  }

  /** A fault of ours is told with an id, and ends one request, not all of them. */
  function refuse(id: RpcId, error: unknown): void {
    if (!(error instanceof UserError)) {
      const fault = `a fault of cortex stdio (id ${randomId()})`;
      note(`${fault}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      write(errorText(id, rpcErrors.internalError, fault, undefined));
      return;
    }
    note(visibleText(error.message));
    if (error.next !== undefined) note(`  next: ${visibleText(error.next)}`);
    const words = `${error.message}${error.next === undefined ? '' : `. Next: ${error.next}`}`;
    write(errorText(id, rpcErrors.serverError, words, undefined));
  }

  /** A notification, or the answer to a question of the gateway's. */
  async function pass(message: RpcMessage, text: string): Promise<void> {
    if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
      const { requestId } = message.params;
      const isId = typeof requestId === 'string' || typeof requestId === 'number';
      if (isId) inFlight.get(requestId)?.abort();
    }
    const headers = session.headers();
    // Without a session nothing is sent apart from requests: a closed stream is the cancel.
    if (headers['MCP-Protocol-Version'] === undefined) return;
    const sent = await upstream.send({
      method: 'POST',
      body: text,
      headers,
      signal: stop.signal,
      isStream: false,
      isRepeatable: false,
      isBackground: true,
      onData: () => false,
    });
    if (sent.kind === 'broken') note(`A message to the gateway was lost: ${sent.detail}`);
    if (message.kind === 'notification' && message.method === 'notifications/initialized') session.listen();
  }

  function track(work: Promise<void>): void {
    pending.add(work);
    void work.finally(() => pending.delete(work));
  }

  return {
    take(line) {
      const parsed = parseJson(line);
      if (!parsed.ok) {
        write(errorText(undefined, rpcErrors.parseError, 'That is no JSON.', undefined));
        return;
      }
      const isBatch = Array.isArray(parsed.value);
      const values: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
      for (const value of values) {
        const message = parseMessage(value);
        if (!message.ok) {
          write(
            errorText(
              message.error.id,
              rpcErrors.invalidRequest,
              'That is no message of JSON-RPC.',
              undefined,
            ),
          );
          continue;
        }
        const text = isBatch ? JSON.stringify(value) : line;
        const { value: read } = message;
        if (read.kind !== 'request')
          track(pass(read, text).catch((error) => note(`A message was lost: ${String(error)}`)));
        else if (read.method === listenMethod) void answer(read, text);
        else track(answer(read, text));
      }
    },
    async settled() {
      while (pending.size > 0) await Promise.allSettled(pending);
    },
    async end() {
      await session.end();
      stop.abort();
    },
  };
}

/** What a listener that was away has to look at again. */
function changesOf(id: RpcId, honoured: unknown): readonly string[] {
  const filter = isJsonObject(honoured) ? honoured : {};
  const _meta = { [metaKeys.subscriptionId]: id };
  const lists = ['tools', 'prompts', 'resources'].filter((list) => filter[`${list}ListChanged`] === true);
  const uris: readonly unknown[] = Array.isArray(filter.resourceSubscriptions)
    ? filter.resourceSubscriptions
    : [];
  return [
    ...lists.map((list) => notificationText(`notifications/${list}/list_changed`, { _meta })),
    ...uris.flatMap((uri) =>
      typeof uri === 'string' ? [notificationText('notifications/resources/updated', { uri, _meta })] : [],
    ),
  ];
}
