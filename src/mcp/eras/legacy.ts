import type { JsonObject } from '#kernel/json.ts';
import { isJsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { isLegacyRevision, legacyRevisions } from '#wire/protocol.ts';
import { agentName } from '../agent-name.ts';
import { instructionsText } from '../builtins/architecture.ts';
import type { MethodHandler, ResultBody } from '../call.ts';
import type { Choice } from '../choice.ts';
import type { EdgeDeps, EdgeSettings } from '../deps.ts';
import { completeArgument } from '../methods/complete.ts';
import { serverCapabilities } from '../methods/discover.ts';
import { listMethod } from '../methods/lists.ts';
import { ping } from '../methods/ping.ts';
import { getPrompt } from '../methods/prompts-get.ts';
import { readResource } from '../methods/resources-read.ts';
import { setLevel } from '../methods/set-level.ts';
import { subscribe, unsubscribe } from '../methods/subscribe.ts';
import { callTool } from '../methods/tools-call.ts';
import { relayedCapabilities } from '../questions.ts';
import type { LegacySession } from '../session.ts';
import { sightOf, wholeOf } from '../sight.ts';

/** The methods of the three 2025 revisions; `initialize` mints the session and is not among them. */
export function legacyMethods(deps: EdgeDeps): ReadonlyMap<string, MethodHandler> {
  return new Map<string, MethodHandler>([
    ['tools/call', (call) => callTool(deps, call)],
    ['tools/list', (call) => listMethod('tools')(deps, call)],
    ['resources/read', (call) => readResource(deps, call)],
    ['resources/list', (call) => listMethod('resources')(deps, call)],
    ['resources/templates/list', (call) => listMethod('resourceTemplates')(deps, call)],
    ['resources/subscribe', (call) => subscribe(deps, call)],
    ['resources/unsubscribe', (call) => unsubscribe(deps, call)],
    ['prompts/get', (call) => getPrompt(deps, call)],
    ['prompts/list', (call) => listMethod('prompts')(deps, call)],
    ['completion/complete', (call) => completeArgument(deps, call)],
    ['logging/setLevel', (call) => setLevel(deps, call)],
    ['ping', ping],
  ]);
}

/** `initialize` (R11): the client's revision if it is one of the three, else the newest of them. */
export async function initialize(
  deps: EdgeDeps,
  params: JsonObject,
  principal: Principal,
  choice: Choice,
): Promise<{ readonly session: LegacySession; readonly body: ResultBody }> {
  const asked = params.protocolVersion;
  const revision = typeof asked === 'string' && isLegacyRevision(asked) ? asked : legacyRevisions[0];
  const capabilities = isJsonObject(params.capabilities) ? relayedCapabilities(params.capabilities) : {};
  const session = deps.sessions.mint(principal, revision, capabilities, agentName(params.clientInfo));
  const view = wholeOf(await sightOf(deps, { snapshot: deps.snapshot(), principal, choice }));
  const { serverName, serverVersion, websiteUrl } = deps.settings();
  const result = {
    protocolVersion: revision,
    capabilities: serverCapabilities,
    serverInfo: {
      name: serverName,
      version: serverVersion,
      ...(websiteUrl === undefined ? {} : { websiteUrl }),
    },
    instructions: instructionsText(view),
  };
  const body = {
    members: JSON.stringify(result).slice(1, -1),
    meta: undefined,
    resultType: 'complete',
  } as const;
  return { session, body };
}

/** The inside of a legacy result: no envelope of our own. */
export function legacyMembers(_settings: EdgeSettings, body: ResultBody): string {
  if (body.meta === undefined) return body.members;
  const meta = `"_meta":${JSON.stringify(body.meta)}`;
  return body.members === '' ? meta : `${body.members},${meta}`;
}
