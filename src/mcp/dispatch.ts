import type { AuditPort } from '#audit/record.ts';
import { randomId } from '#kernel/ids.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err } from '#kernel/result.ts';
import { errorText, resultText } from '#wire/json-rpc.ts';
import type { Era } from '#wire/protocol.ts';
import type { McpCall, MethodHandler, MethodReply, ResultBody } from './call.ts';
import type { EdgeDeps, EdgeSettings } from './deps.ts';
import { revoked } from './in-flight.ts';
import { type Refusal, wireAnswer } from './refusal.ts';
import { toolNamed } from './tool-named.ts';
import { traceIdOf } from './trace.ts';

export interface Dispatcher {
  /** Runs one request to its end: handler, audit record, answer. Never rejects. */
  run(call: McpCall, requestBytes: number): Promise<void>;
}

export type TokenRefusal = Extract<Refusal, { readonly reason: 'scope_missing' | 'revoked' }>;

/** What an era brings along. */
export interface EraTable {
  readonly methods: ReadonlyMap<string, MethodHandler>;
  readonly members: (settings: EdgeSettings, body: ResultBody) => string;
}

/** Whether nothing changes by the call, for the audit's failure policy. A hidden tool is as good as none. */
function isReadOnlyCall({ personal }: Pick<EdgeDeps, 'personal'>, call: McpCall): boolean {
  if (call.method !== 'tools/call') return true;
  const { name } = call.params;
  if (typeof name !== 'string') return true;
  const { snapshot, principal } = call;
  const listed = toolNamed(snapshot, name);
  if (listed === undefined && !personal.concerns(principal)) return name !== 'report_missing_capability';
  const definition = (listed ?? personal.known(snapshot, principal).tools.get(name))?.definition;
  if (definition === undefined)
    return name !== 'report_missing_capability' && !personal.mayHave(name, principal);
  return definition.isReadOnly || !holdsAll(principal.scopes, definition.scopes);
}

const revokedRefusal: Refusal = { reason: revoked };
const unwritten: Refusal = { reason: 'audit_unavailable' };

/** Calls the method, writes the one audit record of it, and only then answers (R33). */
export function createDispatcher(
  deps: Pick<EdgeDeps, 'settings' | 'clock' | 'log' | 'personal'>,
  wiring: {
    readonly eras: Readonly<Record<Era, EraTable>>;
    readonly audit: AuditPort;
    /** `WWW-Authenticate` of a refusal that is one of the token: 403 with the scopes of the operation, 401 of a revoked one. */
    readonly challengeHeader: (
      refusal: TokenRefusal,
      call: Pick<McpCall, 'search' | 'principal'>,
    ) => string | undefined;
  },
): Dispatcher {
  function start(call: McpCall): MethodReply | Promise<MethodReply> {
    const handler = wiring.eras[call.era].methods.get(call.method);
    if (handler === undefined) return err({ reason: 'method_unknown', method: call.method.slice(0, 128) });
    if (!wiring.audit.admits(isReadOnlyCall(deps, call))) return err({ reason: 'audit_unavailable' });
    call.path?.passed('audit');
    return handler(call);
  }

  function fault({ method }: McpCall, error: unknown): Refusal {
    const id = randomId();
    deps.log.error('mcp.fault', { id, method, error: String(error), stack: stackOf(error) });
    return { reason: 'fault', id };
  }

  function refused(
    call: McpCall,
    refusal: Refusal,
  ): { text: string; status: number; headers: Readonly<Record<string, string>> } {
    const { status, code, message, data, headers } = wireAnswer(refusal, call.era);
    const isOfToken = refusal.reason === 'scope_missing' || refusal.reason === 'revoked';
    const challenge = isOfToken ? wiring.challengeHeader(refusal, call) : undefined;
    return {
      text: errorText(call.id, code, message, data),
      status,
      headers: challenge === undefined ? { ...headers } : { ...headers, 'www-authenticate': challenge },
    };
  }

  function record(
    call: McpCall,
    reply: MethodReply,
    startedMs: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean | Promise<boolean> {
    const { facts } = call;
    const isCancelled = call.signal.aborted;
    const isRefused = !reply.ok && facts.outcome === 'ok';
    return wiring.audit.record({
      principal: call.principal,
      era: call.era,
      method: call.method.slice(0, 128),
      agent: call.client.agent,
      tool: facts.tool?.slice(0, 128),
      backend: facts.backend,
      backends: facts.backends,
      scopes: facts.scopes,
      mode: facts.mode,
      outcome: isCancelled ? 'cancelled' : isRefused ? 'refused' : facts.outcome,
      code: codeOf(call, reply),
      latencyMs: deps.clock.monotonic() - startedMs,
      requestBytes,
      responseBytes,
      listBytes: facts.listBytes,
      params: facts.params,
      traceId: traceIdOf(call.trace),
      isReadOnly: isReadOnlyCall(deps, call),
      path: call.path?.gates(),
    });
  }

  /** Records the call and answers it; a promise only where the record is waited for. */
  function conclude(
    call: McpCall,
    reply: MethodReply,
    startedMs: number,
    requestBytes: number,
  ): Promise<void> | undefined {
    const done = reply.ok
      ? {
          text: resultText(call.id, wiring.eras[call.era].members(deps.settings(), reply.value)),
          status: 200,
          headers: undefined,
        }
      : refused(call, reply.error);
    const written = record(call, reply, startedMs, requestBytes, Buffer.byteLength(done.text));
    const finish = (isWritten: boolean): undefined => {
      const isRevoked = wasRevoked(call);
      if (call.signal.aborted && !isRevoked) return void call.reply.finishEmpty();
      const instead = isRevoked ? revokedRefusal : isWritten ? undefined : unwritten;
      const { text, status, headers } = instead === undefined ? done : refused(call, instead);
      call.reply.finish(text, status, headers);
    };
    return typeof written === 'boolean' ? finish(written) : written.then(finish);
  }

  return {
    async run(call, requestBytes) {
      const startedMs = deps.clock.monotonic();
      try {
        let reply: MethodReply;
        try {
          reply = await start(call);
        } catch (error) {
          reply = err(fault(call, error));
        }
        await conclude(call, reply, startedMs, requestBytes);
      } catch (error) {
        // Nobody waits for `run`: what it throws would end the process, and the client would wait for ever.
        const { text, status, headers } = refused(call, fault(call, error));
        call.reply.finish(text, status, headers);
      }
    },
  };
}

/** A call that was aborted for its token has its one reason, whatever became of it on the way. */
function codeOf(call: McpCall, reply: MethodReply): string {
  if (wasRevoked(call)) return revoked;
  const { code } = call.facts;
  return !reply.ok && code === 'ok' ? reply.error.reason : code;
}

function wasRevoked({ signal }: McpCall): boolean {
  return signal.aborted && signal.reason === revoked;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
