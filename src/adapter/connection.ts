import type { BackendFailure, IdentityMode } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { notificationText, type RpcId, requestText } from '#wire/json-rpc.ts';
import { type LogLevel, logLevels } from '#wire/protocol.ts';
import { type Agreed, agree, askDiscover, legacyHeaders, resultOf } from './agree.ts';
import type { PeerMessage, Wire, WireAnswer, WireOwner, Wires } from './channel.ts';
import { contradicts, isSessionLost } from './era-signs.ts';
import { createInbox, type PeerNotification } from './inbox.ts';
import { type ClientInfo, legacyParams, modernHeaders, modernParams } from './modern-request.ts';
import type { AskPeerQuestion } from './peer-requests.ts';
import type { Verdict } from './verdict.ts';

/** One request to a server, in words that fit both eras. */
export interface UpstreamRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** HTTP, modern: what the tool's schema mirrors into headers. */
  readonly paramHeaders: Readonly<Record<string, string>>;
  readonly capabilities: JsonObject;
  readonly wantsProgress: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly trace: Readonly<Record<string, string>>;
  readonly isRepeatable: boolean;
  readonly lane: 'call' | 'list' | 'stream';
  /** The key of the principal whose call it is; undefined where it is nobody's. */
  readonly caller: string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Progress and log messages of this request; of a `subscriptions/listen`, that it is acknowledged. */
  readonly onNotification: (notification: PeerNotification) => void;
  /** Undefined: nothing can be asked during this request. */
  readonly onQuestion: AskPeerQuestion | undefined;
}

export interface UpstreamAnswer {
  readonly agreed: Agreed;
  /** The response as it came; its `message` holds `result` or `error`. */
  readonly response: PeerMessage;
  readonly bytes: number;
}

/** One principal's way to one server, or everyone's: opened when needed, and again when the server forgot it. */
export interface Connection {
  agreed(signal: AbortSignal): Promise<Result<Agreed, BackendFailure>>;
  /** What the server says it can do; undefined where it does not say. */
  capabilities(signal: AbortSignal): Promise<Result<JsonObject | undefined, BackendFailure>>;
  request(request: UpstreamRequest): Promise<Result<UpstreamAnswer, BackendFailure>>;
  /** Legacy, HTTP: hears what the server says by itself. Undefined: there is no such stream. */
  listen(signal: AbortSignal, maxMs: number): Promise<Result<WireAnswer, BackendFailure> | undefined>;
  mode(): IdentityMode | undefined;
  inFlight(): number;
  /** Counts up each time the server is agreed with anew: what it was subscribed to is forgotten then. */
  generation(): number;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly clientInfo: ClientInfo;
  /** Of each message that is no user's call. */
  readonly openTimeoutMs: number;
  readonly probeMs: number;
}
export interface ConnectionDeps {
  readonly clock: Clock;
  readonly wires: Wires;
  readonly verdict: Verdict;
  /** What belongs to no request: list changes, updates of resources. */
  readonly onNotification: (notification: PeerNotification) => void;
  readonly onAgreed: (agreed: Agreed) => void;
  /** Agreed with anew, or the wire broke: what was listened to is over. */
  readonly onFresh: () => void;
}

interface Open {
  readonly wire: Wire;
  readonly agreed: Agreed;
}

export function createConnection(
  owner: WireOwner,
  options: ConnectionOptions,
  deps: ConnectionDeps,
): Connection {
  const { wires, verdict } = deps;
  const closing = new AbortController();
  let wire: Wire | undefined;
  let opening: Promise<Result<Open, BackendFailure>> | undefined;
  let open: Open | undefined;
  let generation = 0;
  let lastId = 0;
  /** Of the legacy session: its threshold, as an index into `logLevels`. */
  let logThreshold: number = logLevels.length;

  const nextId = (): number => ++lastId;
  const agreeOptions = {
    clientInfo: options.clientInfo,
    verdict,
    timeoutMs: options.openTimeoutMs,
    probeMs: options.probeMs,
    nextId,
  };
  const inbox = createInbox({
    clock: deps.clock,
    mayAsk: () => open?.agreed.era !== 'modern',
    reply: say,
    onNotification: deps.onNotification,
  });

  /** Sends what has no answer. */
  async function say(text: string): Promise<void> {
    const headers = open?.agreed.era === 'legacy' ? legacyHeaders(open.agreed) : {};
    await wire?.send({ text, headers, timeoutMs: options.openTimeoutMs });
  }

  async function openWire(): Promise<Result<Wire, BackendFailure>> {
    if (wire !== undefined) return ok(wire);
    const events = {
      message: (message: PeerMessage) => inbox.take(message, undefined),
      closed() {
        wire = undefined;
        open = undefined;
        inbox.fresh();
        deps.onFresh();
      },
    };
    const opened = await wires.open(owner, events, closing.signal);
    if (!opened.ok) return opened;
    wire = opened.value;
    return opened;
  }

  async function openNow(): Promise<Result<Open, BackendFailure>> {
    const over = await openWire();
    if (!over.ok) return over;
    if (closing.signal.aborted) {
      await over.value.close();
      return err(failure('cancelled'));
    }
    const agreed = await agree(over.value, agreeOptions, closing.signal);
    if (!agreed.ok) return agreed;
    if (wire !== over.value) return err(failure('unreachable'));
    generation++;
    logThreshold = logLevels.length;
    open = { wire: over.value, agreed: agreed.value };
    deps.onAgreed(agreed.value);
    if (generation > 1) deps.onFresh();
    return ok(open);
  }

  /** Single flight: whoever gives up waiting stops nothing for the others. */
  async function opened(signal: AbortSignal): Promise<Result<Open, BackendFailure>> {
    if (closing.signal.aborted || signal.aborted) return err(failure('cancelled'));
    if (open !== undefined) return ok(open);
    opening ??= openNow().finally(() => {
      opening = undefined;
    });
    const { promise, resolve } = Promise.withResolvers<Result<Open, BackendFailure>>();
    const stop = (): void => resolve(err(failure('cancelled')));
    signal.addEventListener('abort', stop, { once: true });
    opening.then(resolve, stop);
    const result = await promise;
    signal.removeEventListener('abort', stop);
    return result;
  }

  /** Whether the server answered as one that does not know us any more, so that asking again from the start might help. */
  function shouldStartAgain(from: Open, answer: WireAnswer): boolean {
    const { era, session } = from.agreed;
    const hasForgotten = session !== undefined && isSessionLost(answer);
    const hasChanged = contradicts(answer, era, session !== undefined);
    if (!hasForgotten && !hasChanged) return false;
    if (hasChanged) verdict.forget();
    if (open === from) open = undefined;
    return true;
  }

  async function sendOnce(
    { wire: over, agreed }: Open,
    request: UpstreamRequest,
  ): Promise<Result<WireAnswer, BackendFailure>> {
    const id = nextId();
    const isModern = agreed.era === 'modern';
    const { text, headers } = encode(id, agreed, request);
    if (text.length > limits.maxRequestBodyBytes) {
      return err(failure('invalid', { message: 'The arguments are too large.' }));
    }
    const { onNotification, onQuestion } = request;
    inbox.enter(id, { caller: request.caller, onNotification, onQuestion });
    const answered = await over.request({
      id,
      text,
      headers,
      isResumable: !isModern,
      isRepeatable: request.isRepeatable,
      lane: request.lane,
      timeoutMs: request.timeoutMs,
      maxBytes: request.maxBytes,
      signal: request.signal,
      onMessage: (message) => inbox.take(message, id),
    });
    const wasGivenUp =
      !answered.ok && (answered.error.reason === 'cancelled' || answered.error.reason === 'timeout');
    inbox.leave(id, wasGivenUp);
    // A modern HTTP server has it from the closed stream.
    if (wasGivenUp && !(isModern && over.http !== undefined)) {
      void say(notificationText('notifications/cancelled', { requestId: id, reason: 'The caller gave up.' }));
    }
    return answered;
  }

  function encode(
    id: RpcId,
    agreed: Agreed,
    request: UpstreamRequest,
  ): { text: string; headers: Record<string, string> } {
    const { method, params, trace, capabilities, logLevel } = request;
    const extras = { capabilities, logLevel, trace, progressToken: request.wantsProgress ? id : undefined };
    if (agreed.era === 'legacy') {
      const text = requestText(id, method, legacyParams(params, extras));
      return { text, headers: { ...trace, ...legacyHeaders(agreed) } };
    }
    const described = modernParams(params, agreed.revision, options.clientInfo, extras);
    return {
      text: requestText(id, method, described),
      headers: { ...trace, ...modernHeaders(agreed.revision, method, params), ...request.paramHeaders },
    };
  }

  /** The legacy session's log level is as low as the lowest that a call asked for. */
  async function lowerLogLevel(from: Open, { logLevel, signal }: UpstreamRequest): Promise<void> {
    const { era, capabilities } = from.agreed;
    if (logLevel === undefined || era === 'modern' || !isJsonObject(capabilities?.logging)) return;
    const threshold = logLevels.indexOf(logLevel);
    if (threshold >= logThreshold) return;
    logThreshold = threshold;
    await sendOnce(from, {
      ...silent,
      method: 'logging/setLevel',
      params: { level: logLevel },
      timeoutMs: options.openTimeoutMs,
      signal,
    });
  }

  return {
    async agreed(signal) {
      const result = await opened(signal);
      return result.ok ? ok(result.value.agreed) : result;
    },
    async capabilities(signal) {
      const result = await opened(signal);
      if (!result.ok) return result;
      const { agreed, wire: over } = result.value;
      if (agreed.capabilities !== undefined) return ok(agreed.capabilities);
      const answer = await askDiscover(over, agreeOptions, agreed.revision, signal);
      if (!answer.ok) return answer;
      if (shouldStartAgain(result.value, answer.value)) return ok(undefined);
      const said = resultOf(answer.value)?.capabilities;
      const capabilities = isJsonObject(said) ? said : undefined;
      if (open === result.value) open = { wire: over, agreed: { ...agreed, capabilities } };
      return ok(capabilities);
    },
    async request(request) {
      for (let isFirst = true; ; isFirst = false) {
        const from = await opened(request.signal);
        if (!from.ok) return from;
        await lowerLogLevel(from.value, request);
        const answered = await sendOnce(from.value, request);
        if (!answered.ok) return answered;
        const answer = answered.value;
        if (isFirst && shouldStartAgain(from.value, answer)) continue;
        const { response, status, bytes } = answer;
        if (response !== undefined) return ok({ agreed: from.value.agreed, response, bytes });
        return err(
          failure('failed', { status, message: `The server did not answer the request (status ${status}).` }),
        );
      }
    },
    async listen(signal, maxMs) {
      const from = await opened(signal);
      if (!from.ok) return from;
      const { agreed, wire: over } = from.value;
      if (over.http === undefined || agreed.era === 'modern') return undefined;
      const answered = await over.http.listen({
        headers: legacyHeaders(agreed),
        timeoutMs: maxMs,
        maxBytes: limits.maxServerStreamBytes,
        signal,
        onMessage: (message) => inbox.take(message, undefined),
      });
      const isLost = answered.ok && answered.value.status === 404 && agreed.session !== undefined;
      if (isLost && open === from.value) open = undefined;
      return answered;
    },
    mode: () => wire?.mode(),
    inFlight: () => inbox.size(),
    generation: () => generation,
    async close() {
      const last = open;
      const over = wire;
      inbox.close();
      open = undefined;
      wire = undefined;
      if (last?.agreed.session !== undefined) await last.wire.http?.end(legacyHeaders(last.agreed));
      closing.abort();
      await over?.close();
    },
  };
}

/** A request of the gateway's own: nobody hears of it, nobody is asked. */
export const silent = {
  paramHeaders: {},
  capabilities: {},
  wantsProgress: false,
  logLevel: undefined,
  trace: {},
  isRepeatable: false,
  lane: 'list',
  caller: undefined,
  maxBytes: 64 * 1024,
  onNotification: () => {},
  onQuestion: undefined,
} as const;
