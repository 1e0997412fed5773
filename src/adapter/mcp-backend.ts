import type {
  Backend,
  BackendEvents,
  BackendFailure,
  CallContext,
  Exchange,
  IdentityMode,
  IdentityResolver,
} from '#backends/backend.ts';
import { type BreakerOptions, createBreaker } from '#backends/breaker.ts';
import { createBudget } from '#backends/budget.ts';
import { failure } from '#backends/failures.ts';
import type { ToolDefinition } from '#contract/types.ts';
import { toAbortSignal } from '#kernel/cancellation.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { ParamHeader } from '#wire/param-headers.ts';
import type { WireOwner, Wires } from './channel.ts';
import { catalogPrincipal } from './credentials.ts';
import { headersOf, type ScopeRules } from './definitions.ts';
import { type FetchedLists, fetchLists, fetchTools } from './fetch-lists.ts';
import { createHttpWires } from './http-wire.ts';
import { mirroredHeaders } from './mirrored-headers.ts';
import type { ClientInfo } from './modern-request.ts';
import { createParking } from './parking.ts';
import { createPersonalLists } from './personal-lists.ts';
import type { AnswerMethod } from './results.ts';
import { createSeats } from './seats.ts';
import { splitLists } from './shareable.ts';
import { createSharedLists } from './shared-lists.ts';
import { isHeaderMismatch, toAnswer, toCompletion } from './to-answer.ts';
import { createUris } from './uris.ts';
import { createUserRequest, type UserAnswer } from './user-request.ts';

export interface McpBackendOptions {
  readonly id: BackendId;
  /** An endpoint, path included; or wires of another kind (a child process), which the backend then closes. */
  readonly transport:
    | { readonly kind: 'http'; readonly url: string }
    | { readonly kind: 'wires'; readonly wires: Wires };
  readonly mode: IdentityMode;
  readonly scopes: ScopeRules;
  /** `shared`: a legacy server's lists are everyone's. */
  readonly list: 'private' | 'shared';
  /** Linked: whose account lists what everyone sees. Undefined: what users' own lists show to be public. */
  readonly catalogOwner:
    | { readonly issuer: string; readonly subject: string; readonly key: string }
    | undefined;
  readonly uris: 'rewrite' | 'keep';
  /** Of a call; at most `limits.maxCallTimeoutMs`. */
  readonly timeoutMs: number;
  readonly pollTimeoutMs?: number;
  /** After this long a principal's lists are asked for again. */
  readonly pollIntervalMs: number;
  readonly maxResultBytes: number;
  readonly maxCatalogBytes?: number;
  readonly maxDefinitions?: number;
  /** Calls under way at one time. */
  readonly maxConnections: number;
  readonly maxQueued?: number;
  /** Principals who are connected at one time. */
  readonly maxSeats?: number;
  readonly idleMs: number;
  readonly maxParked: number;
  readonly maxParkedPerPrincipal: number;
  readonly clientInfo: ClientInfo;
  readonly breaker?: BreakerOptions;
}

export interface McpBackendDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  /** Default: nobody is. */
  readonly isDenied?: (principal: Principal) => boolean;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly events: BackendEvents;
}

/** A third party's MCP server as a backend: everything else sees no difference. */
export interface McpBackend extends Backend {
  /** An account was linked or unlinked: what was opened and listed with the old one is over. */
  linkingChanged(principalKey: string): void;
  /** Ends what was opened, or waits, for a token that is denied; returns how many calls had waited. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
}

interface Following {
  readonly principal: Principal;
  readonly own: string;
  stop: () => void;
}

/** Makes a native server of either era a backend (src/adapter/README.md). */
export function createMcpBackend(options: McpBackendOptions, deps: McpBackendDeps): McpBackend {
  const { id, mode, clientInfo } = options;
  const { clock, log, events } = deps;
  const uris = createUris(id, options.uris);
  const breaker = createBreaker(clock, options.breaker);
  const followed = new Set<Following>();
  const mirrored = new WeakMap<ToolDefinition, readonly ParamHeader[]>();
  const budget = createBudget(options.maxConnections, options.maxQueued ?? limits.maxQueuedCallsPerBackend);
  const pollTimeoutMs = options.pollTimeoutMs ?? limits.pollTimeoutMs;
  const isPersonal = mode === 'linked';
  const owner = options.catalogOwner ?? { issuer: '', subject: id, key: '' };
  const wires =
    options.transport.kind === 'wires'
      ? options.transport.wires
      : createHttpWires(
          {
            id,
            mode,
            url: options.transport.url,
            catalogOwner: catalogPrincipal(owner, new Secret('')),
            userAgent: `${clientInfo.name}/${clientInfo.version}`,
          },
          deps,
        );

  const pool = createSeats(
    {
      clientInfo,
      timeoutMs: pollTimeoutMs,
      maxSeats: options.maxSeats ?? limits.maxConnectionsPerServer,
      idleMs: options.idleMs,
    },
    {
      wires,
      clock,
      random: deps.random,
      isDenied: deps.isDenied ?? (() => false),
      onLists: listsChanged,
      onResource: (uri, of) => events.resourceUpdated(id, uris.toPublic(uri), of?.key),
    },
  );
  const parking = createParking(
    { maxParked: options.maxParked, maxPerPrincipal: options.maxParkedPerPrincipal },
    systemSchedule,
  );
  const send = createUserRequest(
    { id, timeoutMs: options.timeoutMs, maxResultBytes: options.maxResultBytes },
    { pool, parking, breaker, budget, clock },
  );
  const listOptions = {
    rules: {
      scopes: options.scopes,
      uris,
      maxDefinitions: options.maxDefinitions ?? limits.maxToolsPerBackend,
    },
    timeoutMs: pollTimeoutMs,
    maxBytes: options.maxCatalogBytes ?? limits.maxCatalogBytes,
  };

  async function fetchAs(of: WireOwner, before: FetchedLists | undefined, signal: AbortSignal) {
    const seat = pool.seat(of);
    if (seat === undefined) return err(failure('busy'));
    const lists = await fetchLists(seat.connection, listOptions, before, signal);
    if (!lists.ok) return lists;
    seat.live.start();
    return ok({ lists: lists.value, split: splitLists(lists.value, isPersonal ? options.list : 'everyone') });
  }

  const shared = createSharedLists({
    ask:
      isPersonal && options.catalogOwner === undefined
        ? undefined
        : (before, signal) => fetchAs(undefined, before, signal),
    onChange: () => events.catalogChanged(id),
  });
  const personal = createPersonalLists({
    async ask(principal, before, signal) {
      const fetched = await fetchAs(principal, before, signal);
      if (!fetched.ok) return fetched;
      const { split } = fetched.value;
      for (const problem of split.problems) log.debug('server.definition_left_out', { server: id, problem });
      shared.learn(split);
      return fetched;
    },
    onChange: (key) => events.personalChanged(id, key),
    clock,
    maxAgeMs: options.pollIntervalMs,
    timeoutMs: pollTimeoutMs * 4,
  });

  function listsChanged(of: WireOwner): void {
    if (of === undefined || !isPersonal) events.catalogChanged(id);
    else personal.announced(of);
  }

  function beginFollowing(own: string, principal: Principal): () => void {
    const isOwners = isPersonal || options.transport.kind === 'wires';
    return pool.seat(isOwners ? principal : undefined)?.live.follow(own) ?? (() => {});
  }

  /** What a tool's schema mirrors into headers, looked for once. */
  function annotated(tool: ToolDefinition): readonly ParamHeader[] {
    const known = mirrored.get(tool) ?? headersOf(tool);
    mirrored.set(tool, known);
    return known;
  }

  function toolNamed(name: string, { key }: Principal): ToolDefinition | undefined {
    return personal.lists(key)?.tools.definitions.find((tool) => tool.name === name) ?? shared.tool(name);
  }

  /** The right of a seat's tools, asked for anew after a server found our headers wrong. */
  async function refetched(name: string, context: CallContext): Promise<ToolDefinition | undefined> {
    const seat = pool.seat(context.principal);
    if (seat === undefined) return undefined;
    const tools = await fetchTools(seat.connection, listOptions, toAbortSignal(context.signal));
    listsChanged(isPersonal ? context.principal : undefined);
    return tools.find((tool) => tool.name === name);
  }

  async function answered(
    method: AnswerMethod,
    params: JsonObject,
    context: CallContext,
    paramHeaders: Readonly<Record<string, string>>,
    isRepeatable: boolean,
  ): Promise<Exchange<UserAnswer>> {
    return send({ method, params: withInputs(params, context), paramHeaders, isRepeatable }, context);
  }

  function refused(
    reason: 'unsupported' | 'invalid',
    details: Partial<BackendFailure> = {},
  ): Exchange<never> {
    return { outcome: err(failure(reason, details)), backend: id, mode: undefined, answerBytes: 0 };
  }

  return {
    id,
    isNative: true,
    discover: (etag, signal) => shared.discover(etag, signal),
    async call({ name, arguments: args, isRepeatable }, context) {
      const params = { name, arguments: args };
      const attempt = (tool: ToolDefinition | undefined): Promise<Exchange<UserAnswer>> => {
        const headers = tool === undefined ? {} : mirroredHeaders(annotated(tool), args);
        return answered('tools/call', params, context, headers, isRepeatable);
      };
      let made = await attempt(toolNamed(name, context.principal));
      if (isHeaderMismatch(made)) made = await attempt(await refetched(name, context));
      return toAnswer(made, 'tools/call', context, uris);
    },
    async read(uri, context) {
      const own = uris.toOwn(uri);
      if (own === undefined) return refused('invalid', { status: 404 });
      const made = await answered('resources/read', { uri: own }, context, {}, true);
      return toAnswer(made, 'resources/read', context, uris);
    },
    async prompt(name, args, context) {
      const made = await answered('prompts/get', { name, arguments: args }, context, {}, true);
      return toAnswer(made, 'prompts/get', context, uris);
    },
    async complete(ref, argument, context) {
      const own = typeof ref.uri === 'string' ? uris.toOwn(ref.uri) : undefined;
      if (typeof ref.uri === 'string' && own === undefined) return refused('invalid', { status: 404 });
      const made = await send(
        {
          method: 'completion/complete',
          params: { ref: own === undefined ? ref : { ...ref, uri: own }, argument },
          paramHeaders: {},
          isRepeatable: true,
        },
        { ...context, clientCapabilities: {}, requestState: undefined },
      );
      return toCompletion(made);
    },
    help: async () => refused('unsupported'),
    async whoami() {
      const whose = whoseAccount(mode);
      if (whose === undefined) return refused('unsupported');
      return { outcome: ok({ account: whose }), backend: id, mode: undefined, answerBytes: 0 };
    },
    ticket: async () => refused('unsupported'),
    ...(isPersonal ? { personal } : {}),
    follow(uri, principal) {
      const own = uris.toOwn(uri);
      if (own === undefined) return () => {};
      const one: Following = { principal, own, stop: beginFollowing(own, principal) };
      followed.add(one);
      return () => {
        followed.delete(one);
        one.stop();
      };
    },
    health: () => ({ breaker: breaker.state(), inFlight: budget.inFlight() }),
    linkingChanged(principalKey) {
      parking.drop(principalKey);
      pool.drop(principalKey);
      if (principalKey === options.catalogOwner?.key) pool.drop(undefined);
      personal.linkingChanged(principalKey);
      // What is followed goes on with the new account.
      for (const one of followed) {
        if (one.principal.key === principalKey) one.stop = beginFollowing(one.own, one.principal);
      }
    },
    endDenied(isDenied) {
      pool.endDenied(isDenied);
      return parking.endDenied(isDenied);
    },
    async close() {
      followed.clear();
      personal.close();
      parking.close();
      budget.close();
      await pool.close();
      await wires.close();
    },
  };
}

/** For people who ask whether they share an account; the account's own name stays in the vault (R46). */
function whoseAccount(mode: IdentityMode): string | undefined {
  if (mode === 'linked') return 'your own';
  if (mode === 'static') return 'one for everybody';
  return mode === 'none' ? 'none' : undefined;
}

/** The answers to an earlier question, with the server's own state; nothing where there was none. */
function withInputs(params: JsonObject, { inputResponses, requestState }: CallContext): JsonObject {
  return {
    ...params,
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}
