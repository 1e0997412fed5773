import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import type { McpCall, MethodReply } from '../call.ts';
import { wholeChoice } from '../choice.ts';
import type { EdgeDeps } from '../deps.ts';
import { callContext, noRetry } from '../relay.ts';
import { sightOf, wholeOf } from '../sight.ts';
import { noteExchange } from '../tool-result.ts';
import type { Builtin } from './builtin.ts';
import { whoamiDefinition } from './definitions.ts';
import { jsonToolResult } from './json-tool-result.ts';

const MAX_AT_ONCE = 8;
const BACKEND_TIMEOUT_MS = 2_000;
const CACHE_MS = 10_000;
const MAX_CACHED = 5_000;
const MAX_CACHED_BYTES = 16 * 1024;

/** What backends said of a principal, where it is short, for ten seconds: by principal, token and backend. */
export interface WhoamiCache {
  get(key: string): JsonValue | undefined;
  set(key: string, value: JsonValue): void;
}

export function createWhoamiCache(clock: Clock): WhoamiCache {
  const cache = new Map<string, { readonly value: JsonValue; readonly until: number }>();
  return {
    get(key) {
      const entry = cache.get(key);
      if (entry === undefined || entry.until > clock.monotonic()) return entry?.value;
      cache.delete(key);
      return undefined;
    },
    set(key, value) {
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(key, { value, until: clock.monotonic() + CACHE_MS });
    },
  };
}

/** One backend's own word on who the caller is there. A backend without `whoami` says nothing. */
async function askBackend(deps: EdgeDeps, call: McpCall, id: BackendId): Promise<JsonValue | undefined> {
  const backend = deps.backend(id);
  if (backend === undefined) return undefined;
  const { principal } = call;
  const key = JSON.stringify([principal.key, principal.tokenId, principal.issuedAt, principal.scopeKey, id]);
  const known = deps.whoami.get(key);
  if (known !== undefined) return known;
  const exchange = await backend.whoami({ ...callContext(call, noRetry), timeoutMs: BACKEND_TIMEOUT_MS });
  // A server of a third party is not asked: it is known whose account it is called with.
  if (backend.isNative !== true) noteExchange(call.facts, exchange);
  if (!exchange.outcome.ok) {
    const { reason } = exchange.outcome.error;
    return reason === 'unsupported' ? undefined : { unavailable: reason };
  }
  if (exchange.answerBytes <= MAX_CACHED_BYTES) deps.whoami.set(key, exchange.outcome.value);
  return exchange.outcome.value;
}

async function askAll(deps: EdgeDeps, call: McpCall, ids: readonly BackendId[]): Promise<JsonObject> {
  const waiting = [...ids];
  const said: Record<string, JsonValue> = {};
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const answer = await askBackend(deps, call, id);
      if (answer !== undefined) said[id] = answer;
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, worker));
  return said;
}

function inOrder(said: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function run(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { principal } = call;
  const seen = wholeOf(await sightOf(deps, { ...call, choice: wholeChoice }));
  const withTools = new Set(seen.tools.map(({ backend }) => backend));
  const linked = [...withTools].filter((id) => !seen.links.has(id));
  const said = await askAll(deps, call, linked);
  const unlinked = [...seen.links].filter(([id]) => withTools.has(id));
  const backends = inOrder({ ...said, ...Object.fromEntries(unlinked.map(([id, link]) => [id, { link }])) });
  call.facts.backend = undefined;
  return jsonToolResult({
    kind: principal.kind,
    subject: principal.subject,
    issuer: principal.issuer,
    email: principal.email,
    role: principal.role,
    plan: principal.plan,
    client: principal.clientId,
    scopes: [...principal.scopes].sort(),
    tokenExpiresAt: new Date(principal.expiresAt * 1000).toISOString(),
    applications: backends,
  });
}

export const whoami: Builtin = { definition: whoamiDefinition, run };
