import { readPeerMessage } from '#adapter/peer-message.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { notificationText, type RpcMessage, requestText } from '#wire/json-rpc.ts';
import { type Exchanged, exchange, oneLine } from './exchange.ts';
import { keepOpen } from './reopening.ts';
import type { Upstream } from './upstream.ts';

type RpcRequest = RpcMessage & { readonly kind: 'request' };

/** What `initialize` agreed with the gateway, for a client of the 2025 revisions; made again when it is lost. */
export interface Session {
  headers(): Readonly<Record<string, string>>;
  /** Sends the client's own `initialize`. */
  begin(request: RpcRequest, text: string, signal: AbortSignal): Promise<Exchanged>;
  /** From now on what comes unasked is heard. */
  listen(): void;
  /** A session like the lost one; once, however many calls found it gone. False: there is none to be had. */
  renew(lost: Readonly<Record<string, string>>): Promise<boolean>;
  /** What the client has wished for lasts longer than a session. */
  remember(request: RpcRequest): void;
  end(): Promise<void>;
}

interface Begun {
  readonly request: RpcRequest;
  readonly text: string;
  readonly id: string | undefined;
  readonly revision: string;
  /** The lists whose changes the gateway tells of. */
  readonly lists: readonly string[];
}

export function createSession(deps: {
  readonly upstream: Upstream;
  readonly write: (text: string) => void;
  readonly stop: AbortSignal;
  readonly random: () => number;
}): Session {
  const { upstream, write, stop } = deps;
  let begun: Begun | undefined;
  let renewing: Promise<boolean> | undefined;
  let stream: AbortController | undefined;
  let isListening = false;
  let level: RpcRequest | undefined;
  const followed = new Map<string, RpcRequest>();

  const headers = (): Readonly<Record<string, string>> => {
    if (begun === undefined) return {};
    const { id, revision } = begun;
    return { 'MCP-Protocol-Version': revision, ...(id !== undefined && { 'Mcp-Session-Id': id }) };
  };

  async function begin(
    request: RpcRequest,
    text: string,
    signal: AbortSignal,
    isBackground = false,
  ): Promise<Exchanged> {
    const asked = {
      id: request.id,
      text,
      headers: {},
      signal,
      isStream: false,
      isRepeatable: true,
      isBackground,
    };
    const done = await exchange(upstream, { ...asked, onMessage: (line) => write(line) });
    const result = done.response?.message.result;
    const revision = result === undefined ? undefined : stringAt(result, 'protocolVersion');
    if (done.answer.kind !== 'answered' || result === undefined || revision === undefined) return done;
    const id = done.answer.headers.get('mcp-session-id');
    begun = { request, text, id, revision, lists: listsOf(result) };
    return done;
  }

  const post = (text: string) =>
    upstream.send({
      method: 'POST',
      body: text,
      headers: headers(),
      signal: stop,
      isStream: false,
      isRepeatable: true,
      onData: () => false,
    });

  async function renewed(isBackground: boolean): Promise<boolean> {
    if (begun === undefined) return false;
    const { response } = await begin(begun.request, begun.text, stop, isBackground);
    if (response?.message.result === undefined) return false;
    await post(notificationText('notifications/initialized', {}));
    const wishes = [...(level === undefined ? [] : [level]), ...followed.values()];
    for (const [index, { method, params }] of wishes.entries())
      await post(requestText(`cortex-stdio-${index}`, method, params));
    stream?.abort();
    return true;
  }

  /** Who was not listening may have missed anything. */
  function tellOfChanges(): void {
    for (const list of begun?.lists ?? []) write(notificationText(`notifications/${list}/list_changed`, {}));
    for (const uri of followed.keys()) write(notificationText('notifications/resources/updated', { uri }));
  }

  function listen(): void {
    stream?.abort();
    if (isListening) return;
    isListening = true;
    let hasListened = false;
    const open = async (): Promise<'again' | 'over'> => {
      stream = new AbortController();
      const sent = headers();
      let isOpen = false;
      const answer = await upstream.send({
        method: 'GET',
        body: undefined,
        headers: sent,
        signal: AbortSignal.any([stop, stream.signal]),
        isStream: true,
        isRepeatable: false,
        isBackground: true,
        onOpen() {
          if (hasListened && !isOpen) tellOfChanges();
          isOpen = true;
          hasListened = true;
        },
        onData(data) {
          const read = readPeerMessage(data);
          if (typeof read !== 'string' && read.message.kind !== 'response') write(oneLine(data));
          return false;
        },
      });
      if (answer.kind === 'answered' && answer.status === 404) await renew(sent, true);
      return answer.kind === 'answered' && answer.status === 405 ? 'over' : 'again';
    };
    // Nobody waits for it: what stands in its way is told by the next call.
    const listening = keepOpen(() => open().catch(() => 'again' as const), {
      signal: stop,
      random: deps.random,
    });
    void listening.finally(() => {
      isListening = false;
    });
  }

  async function renew(lost: Readonly<Record<string, string>>, isBackground = false): Promise<boolean> {
    if (lost['Mcp-Session-Id'] !== headers()['Mcp-Session-Id']) return true;
    renewing ??= renewed(isBackground).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    headers,
    begin,
    listen,
    renew,
    remember(request) {
      const uri = stringAt(request.params, 'uri') ?? '';
      if (request.method === 'logging/setLevel') level = request;
      if (request.method === 'resources/subscribe') followed.set(uri, request);
      if (request.method === 'resources/unsubscribe') followed.delete(uri);
    },
    async end() {
      stream?.abort();
      if (begun?.id === undefined) return;
      await upstream.send({
        method: 'DELETE',
        body: undefined,
        headers: headers(),
        signal: AbortSignal.timeout(1_000),
        isStream: false,
        isRepeatable: false,
        onData: () => false,
      });
    },
  };
}

function listsOf({ capabilities }: JsonObject): readonly string[] {
  if (!isJsonObject(capabilities)) return [];
  return ['tools', 'prompts', 'resources'].filter((list) => {
    const capability = capabilities[list];
    return isJsonObject(capability) && capability.listChanged === true;
  });
}
