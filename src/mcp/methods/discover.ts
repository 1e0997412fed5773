import type { JsonObject } from '#kernel/json.ts';
import { allRevisions } from '#wire/protocol.ts';
import { instructionsText } from '../builtins/architecture.ts';
import { complete, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { cacheHints } from '../hints.ts';
import { sightOf, wholeOf } from '../sight.ts';

/** Only what works (R8): `subscribe` and `listChanged` are served by `subscriptions/listen` or the GET stream. */
export const serverCapabilities: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/** server/discover. Source: MCP 2026-07-28 server/discover. */
export async function discover(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const view = wholeOf(await sightOf(deps, call));
  const members = [
    `"supportedVersions":${JSON.stringify(allRevisions)}`,
    `"capabilities":${JSON.stringify(serverCapabilities)}`,
    `"instructions":${JSON.stringify(instructionsText(view))}`,
  ];
  return complete(members.join(',') + cacheHints(deps, call, view));
}
