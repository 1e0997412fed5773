import type { AuditPort } from '#audit/record.ts';
import type { Authenticator } from '#auth/authenticate.ts';
import type { Challenge } from '#auth/challenge.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import { err } from '#kernel/result.ts';
import { errorText, parseMessage, type RpcId, type RpcMessage, resultText } from '#wire/json-rpc.ts';
import { type Era, isLegacyRevision, mcpHeaders, metaKeys } from '#wire/protocol.ts';
import { briefFacts } from './brief-facts.ts';
import { type ClientProfile, type McpCall, newFacts } from './call.ts';
import { type Choice, readChoice } from './choice.ts';
import type { EdgeDeps } from './deps.ts';
import { createDispatcher } from './dispatch.ts';
import { initialize, legacyMembers, legacyMethods } from './eras/legacy.ts';
import { listenMethod, modernMembers, modernMethods, readModernEnvelope } from './eras/modern.ts';
import { createInFlight } from './in-flight.ts';
import { openListen } from './listen.ts';
import type { Pulse } from './pulse.ts';
import { readJsonBody } from './read-body.ts';
import { type Refusal, wireAnswer } from './refusal.ts';
import { createReply } from './reply.ts';
import { createSessionStreams } from './session-stream.ts';
import { readTrace } from './trace.ts';

/** `/mcp`, for both eras at once. */
export interface McpEndpoint {
  /** `keepOpen` is called once the request has been read: from then on the answer may take its time. */
  handle(request: Request, keepOpen: () => void): Promise<Response>;
  /** Calls that have not been answered yet. */
  readonly inFlight: number;
  /** Resolves when no call is in flight, or after `timeoutMs`; then the rest is aborted. */
  drain(timeoutMs: number): Promise<void>;
}

/** A request that got past the door. */
interface Visit {
  readonly request: Request;
  readonly search: string;
  readonly principal: Principal;
  readonly choice: Choice;
  readonly keepOpen: () => void;
}

export function createMcpEndpoint(
  deps: EdgeDeps,
  wiring: {
    readonly authenticator: () => Authenticator;
    readonly challenge: () => Challenge;
    readonly audit: AuditPort;
    readonly pulse: Pulse;
  },
): McpEndpoint {
  const eras = {
    modern: { methods: modernMethods(deps), members: modernMembers },
    legacy: { methods: legacyMethods(deps), members: legacyMembers },
  } as const;
  const sessionStreams = createSessionStreams(wiring.pulse, limits.keepAliveMs);
  const inFlight = createInFlight();
  const dispatcher = createDispatcher(deps, {
    eras,
    audit: wiring.audit,
    challengeHeader: (scopes, search) =>
      wiring.challenge().insufficientScope(scopes, { search }).headers.get('www-authenticate') ?? undefined,
  });

  function refuse(refusal: Refusal, id?: RpcId, era: Era = 'modern'): Response {
    const { status, code, message, data, headers } = wireAnswer(refusal, era);
    return new Response(errorText(id, code, message, data), {
      status,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async function handle(request: Request, keepOpen: () => void): Promise<Response> {
    const search = searchOf(request.url);
    const authenticated = wiring.authenticator().authenticate(request.headers, { search });
    const known = authenticated instanceof Promise ? await authenticated : authenticated;
    if (!known.ok) return wiring.challenge().answer(known.error, { search });
    const choice = readChoice(search, request.headers);
    if (!choice.ok) return refuse(choice.error);
    const visit = { request, search, principal: known.value, choice: choice.value, keepOpen };
    switch (request.method) {
      case 'POST':
        return handlePost(visit);
      case 'GET':
        return handleGet(visit);
      case 'DELETE':
        return handleDelete(visit);
      default:
        return refuse({ reason: 'verb_refused' });
    }
  }

  async function handlePost(visit: Visit): Promise<Response> {
    const retryAfterSeconds = deps.allowance.takeCall(visit.principal);
    if (retryAfterSeconds > 0) return refuse({ reason: 'rate_limited', retryAfterSeconds });
    const body = await readJsonBody(visit.request, deps.settings().maxRequestBodyBytes);
    if (!body.ok) return refuse(body.error);
    visit.keepOpen();
    const { value, bytes } = body.value;
    if (Array.isArray(value)) return handleBatch(visit, value, bytes);
    const message = parseMessage(value);
    if (!message.ok) return refuse({ reason: 'message_malformed' }, message.error.id);
    return eraOf(visit.request.headers, message.value) === 'modern'
      ? handleModern(visit, message.value, bytes)
      : handleLegacy(visit, message.value, bytes, acceptsStream(visit.request.headers));
  }

  async function handleModern(visit: Visit, message: RpcMessage, bytes: number): Promise<Response> {
    if (message.kind === 'notification') return new Response(null, { status: 202 });
    if (message.kind === 'response') return refuse({ reason: 'message_malformed' }, message.id);
    const { headers } = visit.request;
    const { id, method, params } = message;
    const envelope = readModernEnvelope(headers, method, params);
    if (!envelope.ok) {
      void recordBriefly(visit, {
        era: 'modern',
        method,
        params,
        code: envelope.error.reason,
        requestBytes: bytes,
      });
      return refuse(envelope.error, id);
    }
    if (method === listenMethod) return listen(visit, id, params, envelope.value.client, bytes);
    const { revision, client } = envelope.value;
    return runCall(
      visit,
      message,
      bytes,
      { era: 'modern', revision, client, session: undefined },
      acceptsStream(headers),
    );
  }

  function listen(
    visit: Visit,
    id: RpcId,
    params: JsonObject,
    client: ClientProfile,
    requestBytes: number,
  ): Response {
    if (!acceptsStream(visit.request.headers)) return refuse({ reason: 'not_acceptable' }, id);
    if (!wiring.audit.admits(true)) return refuse({ reason: 'audit_unavailable' }, id);
    const { principal, choice } = visit;
    const opened = openListen(
      deps,
      { id, params, principal, choice },
      {
        pulse: wiring.pulse,
        quietMs: limits.keepAliveMs,
        headers: {},
        maxUris: limits.maxSessionSubscriptions,
        envelope: (meta) => modernMembers(deps.settings(), { members: '', meta, resultType: 'complete' }),
      },
    );
    const code = opened.ok ? 'ok' : opened.error.reason;
    const { agent } = client;
    void recordBriefly(visit, { era: 'modern', method: listenMethod, params, agent, code, requestBytes });
    return opened.ok ? opened.value : refuse(opened.error, id);
  }

  async function handleLegacy(
    visit: Visit,
    message: RpcMessage,
    bytes: number,
    canStream: boolean,
  ): Promise<Response> {
    if (message.kind === 'request' && message.method === 'initialize')
      return openSession(visit, message, bytes);
    const session = await sessionOf(visit);
    if (!session.ok) {
      if (message.kind !== 'request') return refuse(session.error, undefined, 'legacy');
      const { method, params } = message;
      const code = session.error.reason;
      void recordBriefly(visit, { era: 'legacy', method, params, code, requestBytes: bytes });
      return refuse(session.error, message.id, 'legacy');
    }
    const state = deps.sessionStates.of(session.value);
    switch (message.kind) {
      case 'response': {
        const { result, error } = message;
        state.questions.get(message.id)?.({ result, error });
        return new Response(null, { status: 202 });
      }
      case 'notification': {
        if (message.method === 'notifications/cancelled') {
          const { requestId } = message.params;
          if (typeof requestId === 'string' || typeof requestId === 'number') {
            state.inFlight.get(requestId)?.abort('cancelled');
          }
        }
        return new Response(null, { status: 202 });
      }
      case 'request': {
        const { revision, capabilities, agent } = session.value;
        const client = { capabilities, agent, logLevel: state.logLevel };
        return runCall(
          visit,
          message,
          bytes,
          { era: 'legacy', revision, client, session: session.value },
          canStream,
        );
      }
    }
  }

  async function openSession(
    visit: Visit,
    message: Extract<RpcMessage, { kind: 'request' }>,
    bytes: number,
  ): Promise<Response> {
    if (!wiring.audit.admits(true)) return refuse({ reason: 'audit_unavailable' }, message.id, 'legacy');
    const { session, body } = initialize(deps, message.params, visit.principal, visit.choice);
    const text = resultText(message.id, legacyMembers(deps.settings(), body));
    const written = await recordBriefly(visit, {
      era: 'legacy',
      method: 'initialize',
      params: message.params,
      agent: session.agent,
      code: 'ok',
      requestBytes: bytes,
      responseBytes: Buffer.byteLength(text),
    });
    if (!written) return refuse({ reason: 'audit_unavailable' }, message.id, 'legacy');
    return new Response(text, {
      headers: { 'content-type': 'application/json', [mcpHeaders.session]: session.id },
    });
  }

  async function sessionOf(visit: Visit) {
    const id = visit.request.headers.get(mcpHeaders.session);
    if (id === null) return err({ reason: 'session_required' } as const);
    const opened = deps.sessions.open(id, visit.principal);
    const session = opened instanceof Promise ? await opened : opened;
    if (session.ok) await deps.sessionStates.ready(session.value);
    return session;
  }

  /** A batch of revision 2025-03-26: each message on its own, the answers together. */
  async function handleBatch(visit: Visit, values: readonly unknown[], bytes: number): Promise<Response> {
    const session = await sessionOf(visit);
    if (!session.ok || session.value.revision !== '2025-03-26') return refuse({ reason: 'batch_refused' });
    if (values.length === 0 || values.length > limits.maxBatchMessages)
      return refuse({ reason: 'batch_refused' });
    // The request itself has been counted: here are the messages beyond the first.
    for (let message = 1; message < values.length; message++) {
      const retryAfterSeconds = deps.allowance.takeCall(visit.principal);
      if (retryAfterSeconds > 0) return refuse({ reason: 'rate_limited', retryAfterSeconds });
    }
    const answers = await Promise.all(
      values.map(async (value) => {
        const message = parseMessage(value);
        if (!message.ok) return refuse({ reason: 'message_malformed' }, message.error.id).text();
        if (message.value.kind === 'request' && message.value.method === 'initialize') {
          return refuse({ reason: 'batch_refused' }, message.value.id).text();
        }
        return (await handleLegacy(visit, message.value, bytes, false)).text();
      }),
    );
    const texts = answers.filter((text) => text !== '');
    if (texts.length === 0) return new Response(null, { status: 202 });
    return new Response(`[${texts.join(',')}]`, { headers: { 'content-type': 'application/json' } });
  }

  function runCall(
    visit: Visit,
    message: Extract<RpcMessage, { kind: 'request' }>,
    bytes: number,
    of: Pick<McpCall, 'era' | 'revision' | 'client' | 'session'>,
    canStream: boolean,
  ): Promise<Response> {
    const { request, principal, choice, search } = visit;
    const abort = new AbortController();
    const isModern = of.era === 'modern';
    const cancel = () => abort.abort('client gone');
    // A disconnect is a cancel in the modern era only (R14).
    if (isModern) request.signal.addEventListener('abort', cancel, { once: true });
    const reply = createReply({
      pulse: wiring.pulse,
      quietMs: limits.keepAliveMs,
      patienceMs: limits.replyPatienceMs,
      headers: {},
      canStream,
      onGone: isModern ? cancel : () => {},
    });
    const { id, method, params } = message;
    const state = of.session && deps.sessionStates.of(of.session);
    // An id used twice at a time is the client's mistake: the first call keeps it.
    if (state?.inFlight.has(id) === false) state.inFlight.set(id, abort);
    const call: McpCall = {
      ...of,
      id,
      method,
      params,
      principal,
      choice,
      search,
      snapshot: deps.snapshot(),
      headers: request.headers,
      trace: readTrace(request.headers, params),
      signal: abort.signal,
      reply,
      facts: newFacts(),
    };
    inFlight.add(abort);
    void dispatcher.run(call, bytes).finally(() => {
      inFlight.delete(abort);
      if (state?.inFlight.get(id) === abort) state.inFlight.delete(id);
      if (isModern) request.signal.removeEventListener('abort', cancel);
    });
    return reply.response;
  }

  async function handleGet(visit: Visit): Promise<Response> {
    if (!hasLegacySession(visit.request.headers)) return refuse({ reason: 'verb_refused' });
    const session = await sessionOf(visit);
    if (!session.ok) return refuse(session.error, undefined, 'legacy');
    if (!acceptsStream(visit.request.headers))
      return refuse({ reason: 'not_acceptable' }, undefined, 'legacy');
    visit.keepOpen();
    const opened = sessionStreams.open(deps, session.value, visit.principal, visit.choice);
    return opened.ok ? opened.value : refuse(opened.error, undefined, 'legacy');
  }

  async function handleDelete(visit: Visit): Promise<Response> {
    if (!hasLegacySession(visit.request.headers)) return refuse({ reason: 'verb_refused' });
    const session = await sessionOf(visit);
    if (!session.ok) return refuse(session.error, undefined, 'legacy');
    sessionStreams.end(session.value);
    await deps.sessions.end(session.value, visit.principal);
    await deps.sessionStates.forget(session.value);
    return new Response(null, { status: 204 });
  }

  /** Writes the record of a request that no handler runs for. */
  function recordBriefly(
    visit: Visit,
    facts: Omit<Parameters<typeof briefFacts>[0], 'principal' | 'headers'>,
  ): boolean | Promise<boolean> {
    const { principal, request } = visit;
    return wiring.audit.record(briefFacts({ ...facts, principal, headers: request.headers }));
  }

  return {
    handle,
    get inFlight() {
      return inFlight.size;
    },
    drain: (timeoutMs) => inFlight.drain(timeoutMs),
  };
}

/** The raw query of a request URL, with its `?`. */
function searchOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
}

function acceptsStream(headers: Headers): boolean {
  const accept = headers.get('accept');
  return accept?.includes('text/event-stream') === true || accept?.includes('*/*') === true;
}

/** Whether a GET or DELETE means a session: the modern era has none and ignores an id that comes along (R10). */
function hasLegacySession(headers: Headers): boolean {
  const version = headers.get(mcpHeaders.protocolVersion);
  return headers.get(mcpHeaders.session) !== null && (version === null || isLegacyRevision(version));
}

/** Which era a message belongs to: the version header decides; without one, the envelope (mcp: 2025-03-26 has neither). */
function eraOf(headers: Headers, message: RpcMessage): Era {
  const version = headers.get(mcpHeaders.protocolVersion);
  const params = message.kind === 'response' ? undefined : message.params;
  const hasEnvelope = isJsonObject(params?._meta) && params._meta[metaKeys.protocolVersion] !== undefined;
  if (version === null) return hasEnvelope ? 'modern' : 'legacy';
  return isLegacyRevision(version) && !hasEnvelope ? 'legacy' : 'modern';
}
