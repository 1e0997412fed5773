import { createHash } from 'node:crypto';
import { createMcpBackend } from '../../src/adapter/mcp-backend.ts';
import type { Answer, CallContext, Exchange, PeerQuestion } from '../../src/backends/backend.ts';
import { linked } from '../../src/identity/linked.ts';
import { none } from '../../src/identity/none.ts';
import { createIdentityResolver } from '../../src/identity/resolver.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { isJsonObject } from '../../src/kernel/json.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { principalKey } from '../../src/kernel/principal.ts';
import { systemSchedule } from '../../src/kernel/schedule.ts';
import { Secret } from '../../src/kernel/secret.ts';
import { createSocketOutbound } from '../../src/outbound/socket-outbound.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createGrantTokens } from '../../src/vault/grant-tokens.ts';
import { createLinkingEngine } from '../../src/vault/linking/create-linking-engine.ts';
import type { LinkingEngine } from '../../src/vault/linking/linking-engine.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal as principalWith } from '../contract/principal.ts';
import { openTestVault } from '../vault/vault-kit.ts';
import { isRecord } from './fixture-tools.ts';

/**
 * The client that the official suite judges: adapter, vault and linking engine, put together as the gateway does, with
 * a user who allows everything. Called by the suite: `bun adapter-client.ts <server url>`, the scenario in the environment.
 */
const url = process.argv.at(-1) ?? '';
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const given: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const scenarioContext = isRecord(given) ? given : {};
const needsAccount = scenario.startsWith('auth/');
const maxLinks = 4;

const server = backendId('srv');
const issuer = 'https://issuer.example';
const user = principalWith({ subject: 'ada', key: principalKey(issuer, 'ada'), tokenScopes: ['mcp:srv'] });
const browser = createHash('sha256').update('cookie').digest('base64url');
const { client_id: clientId, client_secret: clientSecret } = scenarioContext;
const documentUrl = 'https://conformance-test.local/client-metadata.json';

const store = openSqliteStore(':memory:');
const { sealer, grants } = await openTestVault(store);
const engine: LinkingEngine = createLinkingEngine({
  server: () => ({
    url,
    allowHttp: true,
    client:
      typeof clientId === 'string'
        ? { id: clientId, secret: typeof clientSecret === 'string' ? new Secret(clientSecret) : undefined }
        : undefined,
    issuer: undefined,
    oauthScopes: undefined,
    sendsResource: true,
    allowWithoutS256: false,
    allowPrivate: [],
  }),
  gatewayUrl: 'https://conformance-test.local/mcp',
  documentUrl: () => documentUrl,
  clientName: 'Cortex',
  grants,
  store,
  sealer,
  clock: systemClock,
  log: silentLog,
});
const tokens = createGrantTokens({
  grants,
  refresh: engine.refresh,
  revoke: engine.revoke,
  clock: systemClock,
  schedule: systemSchedule,
  random: Math.random,
  log: silentLog,
});
const outbound = createSocketOutbound();
const backend = createMcpBackend(
  {
    id: server,
    transport: { kind: 'http', url },
    mode: needsAccount ? 'linked' : 'none',
    scopes: { default: ['mcp:srv'], tools: new Map() },
    list: 'private',
    catalogOwner: undefined,
    uris: 'keep',
    timeoutMs: 100_000,
    pollTimeoutMs: 100_000,
    pollIntervalMs: 60_000,
    maxResultBytes: 1_000_000,
    maxConnections: 16,
    idleMs: 600_000,
    maxParked: 8,
    maxParkedPerPrincipal: 4,
    clientInfo: { name: 'cortex-gateway', version: '0.1.0' },
  },
  {
    outbound,
    identity: createIdentityResolver({
      none: none(),
      linked: linked({
        tokens,
        needsScopes: (of, id, scopes) => engine.needsScopes(of, id, scopes),
      }),
    }),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    events: { catalogChanged() {}, personalChanged() {}, resourceUpdated() {} },
  },
);

try {
  await run();
} finally {
  await backend.close();
  await engine.close();
  await outbound.close();
  await store.close();
}
process.exit(0);

async function run(): Promise<void> {
  if (needsAccount) await link();
  const lists = await list();
  for (const { name, args } of callsOf(lists.tools.map((tool) => tool.name))) await callTool(name, args);
  for (const { uri } of lists.resources) await settled((context) => backend.read(uri, context));
  for (const { name } of lists.prompts) await settled((context) => backend.prompt(name, {}, context));
}

/** What the server lists to this user. */
async function list() {
  const { signal } = new AbortController();
  for (let links = 0; ; links++) {
    const seen = await backend.personal?.refresh(user, signal);
    if (seen?.kind === 'listed' && !seen.isStale) return seen.catalog;
    if (seen?.kind === 'unlinked' && links < maxLinks) {
      await link();
      continue;
    }
    const found = await backend.discover(undefined, signal);
    if (!found.ok) throw new Error(`The lists cannot be read: ${found.error.message}`);
    if (found.value.kind === 'catalog') return found.value.catalog;
    throw new Error('The server listed nothing.');
  }
}

/** The calls that a scenario wants, by its own list of them or by the names of the tools. */
function callsOf(names: readonly string[]): readonly { readonly name: string; readonly args: JsonObject }[] {
  const { toolCalls } = scenarioContext;
  if (Array.isArray(toolCalls)) {
    return toolCalls.flatMap((call: unknown) =>
      isJsonObject(call) && typeof call.name === 'string' && isJsonObject(call.arguments)
        ? [{ name: call.name, args: call.arguments }]
        : [],
    );
  }
  return names.map((name) => ({ name, args: name === 'add_numbers' ? { a: 5, b: 3 } : {} }));
}

async function callTool(name: string, args: JsonObject): Promise<void> {
  const tool = { name, arguments: args, hasOutputSchema: false, isRepeatable: false };
  await settled((context) => backend.call(tool, context));
}

/** Calls until there is an answer: links when it must be linked, and answers what is asked. */
async function settled(send: (context: CallContext) => Promise<Exchange<Answer>>): Promise<void> {
  let answers: Pick<CallContext, 'inputResponses' | 'requestState'> = {
    inputResponses: undefined,
    requestState: undefined,
  };
  for (let links = 0; ; ) {
    const { outcome } = await send(contextWith(answers));
    if (outcome.ok && outcome.value.kind === 'input_required') {
      const { inputRequests, requestState } = outcome.value;
      const inputResponses = Object.fromEntries(
        Object.entries(inputRequests ?? {}).map(([key, question]) => [key, answerTo(question)]),
      );
      answers = { inputResponses, requestState };
      continue;
    }
    if (outcome.ok || outcome.error.reason !== 'link_required') return;
    if (links++ >= maxLinks) throw new Error('The account is asked for again and again.');
    await link();
  }
}

function contextWith(answers: Pick<CallContext, 'inputResponses' | 'requestState'>): CallContext {
  return {
    ...answers,
    principal: user,
    signal: new AbortController().signal,
    timeoutMs: undefined,
    trace: {},
    idempotencyKey: crypto.randomUUID(),
    onProgress: undefined,
    onLog: undefined,
    logLevel: undefined,
    clientCapabilities: { elicitation: {}, sampling: {}, roots: {} },
    ask:
      process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28'
        ? undefined
        : async ({ params }: PeerQuestion) => ({ result: accepted(params), error: undefined }),
  };
}

function answerTo(question: unknown): JsonObject {
  return accepted(isJsonObject(question) && isJsonObject(question.params) ? question.params : {});
}

/** A user who accepts a form as it is: with its defaults. */
function accepted({ requestedSchema }: JsonObject): JsonObject {
  const properties = isJsonObject(requestedSchema) ? requestedSchema.properties : undefined;
  const content = Object.entries(isJsonObject(properties) ? properties : {}).map(([name, schema]) => [
    name,
    isJsonObject(schema) && schema.default !== undefined ? schema.default : true,
  ]);
  return { action: 'accept', content: Object.fromEntries(content) };
}

/** Links as a person in a browser would who is signed in at the provider and allows it. */
async function link(): Promise<void> {
  const who = { owner: user, server, browser };
  const begun = await engine.begin(who);
  if (!begun.ok) throw new Error(`Linking does not begin: ${JSON.stringify(begun.error)}`);
  const answer = await fetch(begun.value.authorizeUrl, { redirect: 'manual' });
  const location = answer.headers.get('location');
  if (location === null) throw new Error(`The provider answered ${answer.status}: ${await answer.text()}`);
  const answered = await engine.callback({ ...who, url: location });
  if (!answered.ok) throw new Error(`The provider's answer is refused: ${JSON.stringify(answered.error)}`);
  const confirmed = await engine.confirm({ ...who, flow: answered.value.flow });
  if (!confirmed.ok) throw new Error(`The link is not stored: ${JSON.stringify(confirmed.error)}`);
  backend.linkingChanged(user.key);
}
