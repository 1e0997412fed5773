import type { AuditPort } from '#audit/record.ts';
import { limits } from '#kernel/limits.ts';
import { err, type Result } from '#kernel/result.ts';
import { parseMessage, type RpcMessage, resultText } from '#wire/json-rpc.ts';
import { isLegacyRevision, mcpHeaders } from '#wire/protocol.ts';
import { recordBriefly } from './brief-record.ts';
import type { CallRunner } from './call-runner.ts';
import type { EdgeDeps } from './deps.ts';
import { initialize, legacyMembers } from './eras/legacy.ts';
import { jsonResponse } from './json-response.ts';
import type { Pulse } from './pulse.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refuse.ts';
import type { RefuseDenied } from './refuse-denied.ts';
import type { LegacySession } from './session.ts';
import { createSessionStreams } from './session-stream.ts';
import { sightOf } from './sight.ts';
import { acceptsStream, type RpcRequest, type Visit } from './visit.ts';

/** Everything that comes with a session: the three 2025 revisions. */
export interface SessionDoor {
  message(visit: Visit, message: RpcMessage, bytes: number, canStream: boolean): Promise<Response>;
  /** A batch of revision 2025-03-26: each message on its own, the answers together. */
  batch(visit: Visit, values: readonly unknown[], bytes: number): Promise<Response>;
  /** GET: the stream of what comes unasked. */
  listen(visit: Visit): Promise<Response>;
  /** DELETE. */
  end(visit: Visit): Promise<Response>;
}

export function createSessionDoor(
  deps: EdgeDeps,
  wiring: {
    readonly audit: AuditPort;
    readonly pulse: Pulse;
    readonly runner: CallRunner;
    readonly refuseDenied: RefuseDenied;
  },
): SessionDoor {
  const { audit, pulse, runner, refuseDenied } = wiring;
  const streams = createSessionStreams(pulse, limits.keepAliveMs);

  async function sessionOf(visit: Visit): Promise<Result<LegacySession, Refusal>> {
    const id = visit.request.headers.get(mcpHeaders.session);
    if (id === null) return err({ reason: 'session_required' });
    const opened = deps.sessions.open(id, visit.principal);
    const session = opened instanceof Promise ? await opened : opened;
    if (session.ok) await deps.sessionStates.ready(session.value);
    return session;
  }

  /** The session of a GET or DELETE; the modern era has none and ignores an id that comes along (R10). */
  async function sessionOfVerb(visit: Visit): Promise<Result<LegacySession, Refusal>> {
    const { headers } = visit.request;
    const version = headers.get(mcpHeaders.protocolVersion);
    const isOurs = headers.has(mcpHeaders.session) && (version === null || isLegacyRevision(version));
    return isOurs ? sessionOf(visit) : err({ reason: 'verb_refused' });
  }

  async function open(visit: Visit, message: RpcRequest, bytes: number): Promise<Response> {
    if (!audit.admits(true)) return refuse({ reason: 'audit_unavailable' }, message.id, 'legacy');
    const { session, body } = await initialize(deps, message.params, visit.principal, visit.choice);
    const denied = refuseDenied(visit, message.id, 'legacy');
    if (denied !== undefined) return denied;
    const text = resultText(message.id, legacyMembers(deps.settings(), body));
    const written = await recordBriefly(audit, visit, {
      era: 'legacy',
      method: 'initialize',
      params: message.params,
      agent: session.agent,
      code: 'ok',
      requestBytes: bytes,
      responseBytes: Buffer.byteLength(text),
    });
    if (!written) return refuse({ reason: 'audit_unavailable' }, message.id, 'legacy');
    return jsonResponse(text, 200, { [mcpHeaders.session]: session.id });
  }

  /** A response to a question of ours, or a cancellation: neither is answered. */
  function take(session: LegacySession, message: Exclude<RpcMessage, RpcRequest>): Response {
    const state = deps.sessionStates.of(session);
    if (message.kind === 'response') {
      const { result, error } = message;
      state.questions.get(message.id)?.({ result, error });
    } else if (message.method === 'notifications/cancelled') {
      const { requestId } = message.params;
      if (typeof requestId === 'string' || typeof requestId === 'number') {
        state.inFlight.get(requestId)?.abort('cancelled');
      }
    }
    return new Response(null, { status: 202 });
  }

  const message: SessionDoor['message'] = async (visit, message, bytes, canStream) => {
    if (message.kind === 'request' && message.method === 'initialize') return open(visit, message, bytes);
    const found = await sessionOf(visit);
    if (message.kind !== 'request') {
      if (!found.ok) return refuse(found.error, undefined, 'legacy');
      return refuseDenied(visit, undefined, 'legacy') ?? take(found.value, message);
    }
    if (!found.ok) {
      const { method, params } = message;
      const code = found.error.reason;
      void recordBriefly(audit, visit, { era: 'legacy', method, params, code, requestBytes: bytes });
      return refuse(found.error, message.id, 'legacy');
    }
    const session = found.value;
    const { revision, capabilities, agent } = session;
    const client = { capabilities, agent, logLevel: deps.sessionStates.of(session).logLevel };
    return runner.run(visit, message, bytes, { era: 'legacy', revision, client, session, canStream });
  };

  return {
    message,
    async batch(visit, values, bytes) {
      const session = await sessionOf(visit);
      if (!session.ok || session.value.revision !== '2025-03-26') return refuse({ reason: 'batch_refused' });
      if (values.length === 0 || values.length > limits.maxBatchMessages)
        return refuse({ reason: 'batch_refused' });
      // The request itself has been counted: here are the messages beyond the first.
      for (let beyond = 1; beyond < values.length; beyond++) {
        const retryAfterSeconds = deps.allowance.takeCall(visit.principal);
        if (retryAfterSeconds > 0) return refuse({ reason: 'rate_limited', retryAfterSeconds });
      }
      const answers = await Promise.all(
        values.map(async (value) => {
          const parsed = parseMessage(value);
          if (!parsed.ok) return refuse({ reason: 'message_malformed' }, parsed.error.id).text();
          if (parsed.value.kind === 'request' && parsed.value.method === 'initialize') {
            return refuse({ reason: 'batch_refused' }, parsed.value.id).text();
          }
          return (await message(visit, parsed.value, bytes, false)).text();
        }),
      );
      const texts = answers.filter((text) => text !== '');
      if (texts.length === 0) return new Response(null, { status: 202 });
      return jsonResponse(`[${texts.join(',')}]`, 200, undefined);
    },
    async listen(visit) {
      const session = await sessionOfVerb(visit);
      if (!session.ok) return refuse(session.error, undefined, 'legacy');
      if (!acceptsStream(visit.request.headers))
        return refuse({ reason: 'not_acceptable' }, undefined, 'legacy');
      if (!audit.admits(true)) return refuse({ reason: 'audit_unavailable' }, undefined, 'legacy');
      visit.keepOpen();
      const { principal, choice } = visit;
      await sightOf(deps, { snapshot: deps.snapshot(), principal, choice });
      const denied = refuseDenied(visit, undefined, 'legacy');
      if (denied !== undefined) return denied;
      const opened = streams.open(deps, session.value, principal, choice);
      return opened.ok ? opened.value : refuse(opened.error, undefined, 'legacy');
    },
    async end(visit) {
      const session = await sessionOfVerb(visit);
      if (!session.ok) return refuse(session.error, undefined, 'legacy');
      const denied = refuseDenied(visit, undefined, 'legacy');
      if (denied !== undefined) return denied;
      streams.end(session.value);
      await deps.sessions.end(session.value, visit.principal);
      await deps.sessionStates.forget(session.value);
      return new Response(null, { status: 204 });
    },
  };
}
