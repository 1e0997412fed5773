import type { AuditPort } from '#audit/record.ts';
import type { Authenticator } from '#auth/authenticate.ts';
import type { Challenge } from '#auth/challenge.ts';
import { type AuthRefusal, refusal } from '#auth/refusal.ts';
import type { CallPath } from '#kernel/call-path.ts';
import { isJsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import { parseMessage, type RpcMessage } from '#wire/json-rpc.ts';
import { type Era, isLegacyRevision, mcpHeaders, metaKeys } from '#wire/protocol.ts';
import { recordBriefly } from './brief-record.ts';
import type { ClientProfile, McpCall } from './call.ts';
import { createCallRunner } from './call-runner.ts';
import { readChoice } from './choice.ts';
import type { EdgeDeps } from './deps.ts';
import { createDispatcher, type TokenRefusal } from './dispatch.ts';
import { legacyMembers, legacyMethods } from './eras/legacy.ts';
import { createModernMembers, listenMethod, modernMethods, readModernEnvelope } from './eras/modern.ts';
import { openListen } from './listen.ts';
import type { Pulse } from './pulse.ts';
import { readJsonBody } from './read-body.ts';
import { refuse } from './refuse.ts';
import { createRefuseDenied } from './refuse-denied.ts';
import { createSessionDoor } from './session-door.ts';
import { sightOf } from './sight.ts';
import { acceptsStream, type RpcRequest, type Visit } from './visit.ts';

/** `/mcp`, for both eras at once. */
export interface McpEndpoint {
  /** `keepOpen` is called where the answer may take its time, once the request has been read. */
  handle(request: Request, keepOpen: () => void): Response | Promise<Response>;
  /** Resolves when no call is in flight, or after `timeoutMs`; then the rest is aborted. */
  drain(timeoutMs: number): Promise<void>;
}

export function createMcpEndpoint(
  deps: EdgeDeps,
  wiring: {
    readonly authenticator: () => Authenticator;
    readonly challenge: () => Challenge;
    readonly audit: AuditPort;
    readonly pulse: Pulse;
    /** Begins to watch a call. Undefined: nobody does. */
    readonly watch?: (() => CallPath) | undefined;
  },
): McpEndpoint {
  const { audit, pulse } = wiring;
  const modernMembers = createModernMembers();
  const dispatcher = createDispatcher(deps, {
    eras: {
      modern: { methods: modernMethods(deps), members: modernMembers },
      legacy: { methods: legacyMethods(deps), members: legacyMembers },
    },
    audit,
    challengeHeader,
  });
  const refuseDenied = createRefuseDenied(deps.denyList, (visit) =>
    challengeHeader({ reason: 'revoked' }, visit),
  );
  const runner = createCallRunner(deps, { dispatcher, pulse, refuseDenied });
  const sessions = createSessionDoor(deps, { audit, pulse, runner, refuseDenied });
  deps.denyList.onDenied((isDenied) => {
    deps.linkWaits.endDenied(isDenied);
    return { calls: runner.endDenied(isDenied), streams: deps.streams.endDenied(isDenied) };
  });

  function challengeHeader(
    refused: TokenRefusal,
    { search, principal }: Pick<McpCall, 'search' | 'principal'>,
  ): string | undefined {
    const challenge = wiring.challenge();
    const isBound = principal.tokenKind === 'dpop';
    const { headers } =
      refused.reason === 'revoked'
        ? challenge.answer({ ...refusal('revoked'), ...(isBound && { scheme: 'DPoP' }) }, { search })
        : challenge.insufficientScope(refused.scopes, { search }, isBound ? 'DPoP' : 'Bearer');
    return headers.get('www-authenticate') ?? undefined;
  }

  /** Without a promise of its own for a token verified before, as for everything else on the way of a call. */
  function handle(request: Request, keepOpen: () => void): Response | Promise<Response> {
    const search = searchOf(request.url);
    const { method } = request;
    const path = wiring.watch?.();
    const known = wiring.authenticator().authenticate(request.headers, { search, method });
    return known instanceof Promise
      ? known.then((admitted) => handleAwaited({ request, search, keepOpen, path }, admitted))
      : handleKnown({ request, search, keepOpen, path }, known, false);
  }

  async function handleAwaited(arrival: Arrival, known: Result<Principal, AuthRefusal>): Promise<Response> {
    const response = await handleKnown(arrival, known, true);
    const sendsProofs = known.ok && known.value.tokenKind === 'dpop';
    return sendsProofs ? wiring.challenge().renewNonce(response) : response;
  }

  function handleKnown(
    arrival: Arrival,
    known: Result<Principal, AuthRefusal>,
    hasWaited: boolean,
  ): Response | Promise<Response> {
    const { request, search, path } = arrival;
    if (!known.ok) return wiring.challenge().answer(known.error, { search });
    path?.passed('token');
    const retryAfterSeconds = deps.allowance.takeCall(known.value);
    if (retryAfterSeconds > 0) return refuse({ reason: 'rate_limited', retryAfterSeconds });
    path?.passed('allowance');
    const choice = readChoice(search, request.headers);
    if (!choice.ok) return refuse(choice.error);
    const visit = { ...arrival, principal: known.value, choice: choice.value, hasWaited };
    switch (request.method) {
      case 'POST':
        return handlePost(visit);
      case 'GET':
        return sessions.listen(visit);
      case 'DELETE':
        return sessions.end(visit);
      default:
        return refuse({ reason: 'verb_refused' });
    }
  }

  async function handlePost(visit: Visit): Promise<Response> {
    const body = await readJsonBody(visit.request, deps.settings().maxRequestBodyBytes);
    if (!body.ok) return refuse(body.error);
    const { value, bytes } = body.value;
    visit.path?.passed('body');
    if (Array.isArray(value)) return sessions.batch(visit, value, bytes);
    const message = parseMessage(value);
    if (!message.ok) return refuse({ reason: 'message_malformed' }, message.error.id);
    const { headers } = visit.request;
    return eraOf(headers, message.value) === 'modern'
      ? handleModern(visit, message.value, bytes)
      : sessions.message(visit, message.value, bytes, acceptsStream(headers));
  }

  function handleModern(visit: Visit, message: RpcMessage, bytes: number): Response | Promise<Response> {
    if (message.kind === 'notification') return new Response(null, { status: 202 });
    if (message.kind === 'response') return refuse({ reason: 'message_malformed' }, message.id);
    const { headers } = visit.request;
    const { id, method, params } = message;
    const envelope = readModernEnvelope(headers, method, params);
    if (!envelope.ok) {
      const code = envelope.error.reason;
      void recordBriefly(audit, visit, { era: 'modern', method, params, code, requestBytes: bytes });
      return refuse(envelope.error, id);
    }
    const { revision, client } = envelope.value;
    if (method === listenMethod) return listen(visit, message, client, bytes);
    const canStream = acceptsStream(headers);
    return runner.run(visit, message, bytes, {
      era: 'modern',
      revision,
      client,
      session: undefined,
      canStream,
    });
  }

  async function listen(
    visit: Visit,
    message: RpcRequest,
    client: ClientProfile,
    requestBytes: number,
  ): Promise<Response> {
    const { id, method, params } = message;
    if (!acceptsStream(visit.request.headers)) return refuse({ reason: 'not_acceptable' }, id);
    if (!audit.admits(true)) return refuse({ reason: 'audit_unavailable' }, id);
    visit.keepOpen();
    const { principal, choice } = visit;
    // First what is this principal's own is known: from then on only a change of it is news.
    await sightOf(deps, { snapshot: deps.snapshot(), principal, choice });
    const denied = refuseDenied(visit, id);
    if (denied !== undefined) return denied;
    const opened = openListen(
      deps,
      { id, params, principal, choice },
      {
        pulse,
        quietMs: limits.keepAliveMs,
        maxUris: limits.maxSessionSubscriptions,
        envelope: (meta) => modernMembers(deps.settings(), { members: '', meta, resultType: 'complete' }),
      },
    );
    const code = opened.ok ? 'ok' : opened.error.reason;
    const { agent } = client;
    const facts = { era: 'modern', method, params, agent, code, requestBytes } as const;
    const isWritten = await recordBriefly(audit, visit, facts);
    if (!opened.ok) return refuse(opened.error, id);
    if (isWritten) return opened.value;
    await opened.value.body?.cancel();
    return refuse({ reason: 'audit_unavailable' }, id);
  }

  return { handle, drain: runner.drain };
}

/** A request whose token is still to be looked at. */
type Arrival = Pick<Visit, 'request' | 'search' | 'keepOpen' | 'path'>;

/** The raw query of a request URL, with its `?`. */
function searchOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
}

/** Which era a message belongs to: the version header decides; without one, the envelope (mcp: 2025-03-26 has neither). */
function eraOf(headers: Headers, message: RpcMessage): Era {
  const version = headers.get(mcpHeaders.protocolVersion);
  const params = message.kind === 'response' ? undefined : message.params;
  const hasEnvelope = isJsonObject(params?._meta) && params._meta[metaKeys.protocolVersion] !== undefined;
  if (version === null) return hasEnvelope ? 'modern' : 'legacy';
  return isLegacyRevision(version) && !hasEnvelope ? 'legacy' : 'modern';
}
