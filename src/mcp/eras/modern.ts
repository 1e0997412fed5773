import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { decodeHeaderValue } from '#wire/header-value.ts';
import { isLogLevel, isModernRevision, mcpHeaders, metaKeys } from '#wire/protocol.ts';
import { agentName } from '../agent-name.ts';
import type { ClientProfile, MethodHandler, ResultBody } from '../call.ts';
import type { EdgeDeps, EdgeSettings } from '../deps.ts';
import { completeArgument } from '../methods/complete.ts';
import { discover } from '../methods/discover.ts';
import { listMethod } from '../methods/lists.ts';
import { getPrompt } from '../methods/prompts-get.ts';
import { readResource } from '../methods/resources-read.ts';
import { callTool } from '../methods/tools-call.ts';
import { relayedCapabilities } from '../questions.ts';
import type { Refusal } from '../refusal.ts';

/** The method whose answer is a stream of its own. */
export const listenMethod = 'subscriptions/listen';

/** The methods of 2026-07-28; what the revision removed is absent (R7). */
export function modernMethods(deps: EdgeDeps): ReadonlyMap<string, MethodHandler> {
  return new Map<string, MethodHandler>([
    ['tools/call', (call) => callTool(deps, call)],
    ['tools/list', (call) => listMethod('tools')(deps, call)],
    ['resources/read', (call) => readResource(deps, call)],
    ['resources/list', (call) => listMethod('resources')(deps, call)],
    ['resources/templates/list', (call) => listMethod('resourceTemplates')(deps, call)],
    ['prompts/get', (call) => getPrompt(deps, call)],
    ['prompts/list', (call) => listMethod('prompts')(deps, call)],
    ['completion/complete', (call) => completeArgument(deps, call)],
    ['server/discover', (call) => discover(deps, call)],
  ]);
}

const nameField: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** The standard headers against the body (R3). Source: MCP 2026-07-28 streamable-http "Server Validation". */
function headerProblem(headers: Headers, method: string, params: JsonObject): string | undefined {
  const inHeader = headers.get(mcpHeaders.method);
  if (inHeader === null) return 'Mcp-Method is required';
  if (inHeader !== method) return 'Mcp-Method differs from the body';
  const field = nameField[method];
  const inBody = field && params[field];
  if (typeof inBody !== 'string') return undefined;
  const raw = headers.get(mcpHeaders.name);
  if (raw === null) return 'Mcp-Name is required';
  const name = decodeHeaderValue(raw);
  if (name === undefined) return 'Mcp-Name is malformed';
  return name === inBody ? undefined : 'Mcp-Name differs from the body';
}

/** Checks the envelope that every modern request carries, in order: `_meta` (R5), versions (R6), headers (R3). */
export function readModernEnvelope(
  headers: Headers,
  method: string,
  params: JsonObject,
): Result<{ readonly revision: string; readonly client: ClientProfile }, Refusal> {
  const meta = params._meta;
  const inHeader = headers.get(mcpHeaders.protocolVersion);
  const revision = isJsonObject(meta) ? stringAt(meta, metaKeys.protocolVersion) : undefined;
  if (!isJsonObject(meta) || revision === undefined) {
    if (inHeader !== null && !isModernRevision(inHeader)) {
      return err({ reason: 'version_unsupported', requested: inHeader });
    }
    return err({ reason: 'meta_missing', key: metaKeys.protocolVersion });
  }
  if (inHeader === null)
    return err({ reason: 'header_mismatch', detail: 'MCP-Protocol-Version is required' });
  if (inHeader !== revision) {
    return err({ reason: 'header_mismatch', detail: 'MCP-Protocol-Version differs from _meta' });
  }
  if (!isModernRevision(revision)) return err({ reason: 'version_unsupported', requested: revision });
  const capabilities = meta[metaKeys.clientCapabilities];
  if (!isJsonObject(capabilities)) return err({ reason: 'meta_missing', key: metaKeys.clientCapabilities });
  const detail = headerProblem(headers, method, params);
  if (detail !== undefined) return err({ reason: 'header_mismatch', detail });
  const logLevel = meta[metaKeys.logLevel];
  if (logLevel !== undefined && !isLogLevel(logLevel)) {
    return err({ reason: 'params_invalid', detail: 'logLevel is not a log level' });
  }
  const client = {
    capabilities: relayedCapabilities(capabilities),
    agent: agentName(meta[metaKeys.clientInfo]),
    logLevel,
  };
  return ok({ revision, client });
}

/** The inside of a modern result: `resultType` and our own serverInfo on each (R9). */
export function createModernMembers(): (settings: EdgeSettings, body: ResultBody) => string {
  let known: { readonly of: EdgeSettings; readonly serverInfo: string } | undefined;

  return (settings, { members, meta, resultType }) => {
    if (known?.of !== settings) known = { of: settings, serverInfo: serverInfoMember(settings) };
    const theirs = meta === undefined ? '' : JSON.stringify(meta).slice(1, -1);
    const inside = theirs === '' ? known.serverInfo : `${theirs},${known.serverInfo}`;
    const head = `"resultType":"${resultType}","_meta":{${inside}}`;
    return members === '' ? head : `${head},${members}`;
  };
}

function serverInfoMember(settings: EdgeSettings): string {
  const serverInfo = { name: settings.serverName, version: settings.serverVersion };
  return JSON.stringify({ [metaKeys.serverInfo]: serverInfo }).slice(1, -1);
}
