import { projectForLegacy } from '#catalog/legacy-projection.ts';
import type { ToolSearch } from '#catalog/search.ts';
import { isStringArray, type JsonObject } from '#kernel/json.ts';
import { sightOf, wholeOf } from '../sight.ts';
import type { Builtin } from './builtin.ts';
import { findToolsDefinition } from './definitions.ts';
import { jsonToolResult } from './json-tool-result.ts';

const DEFAULT_LIMIT = 8;
const MAX_LIMIT = 50;

/** Full schemas on demand, from the caller's own view alone; its answers are valid in either mode. */
export function createFindTools(search: ToolSearch): Builtin {
  return {
    definition: findToolsDefinition,
    async run(deps, call, args) {
      const sight = await sightOf(deps, call);
      const { own } = sight;
      const { tools: listed } = wholeOf(sight);
      const limit =
        typeof args.limit === 'number'
          ? Math.min(MAX_LIMIT, Math.max(1, Math.trunc(args.limit)))
          : DEFAULT_LIMIT;
      const names = isStringArray(args.names) ? new Set(args.names.slice(0, MAX_LIMIT)) : new Set<string>();
      const text = typeof args.query === 'string' ? args.query : '';
      const named = listed.filter(({ publicName }) => names.has(publicName));
      const viewKey = own === undefined ? sight.shared.key : `${own.key}\n${sight.shared.key}`;
      const isPersonal = own !== undefined && own.tools.length > 0;
      const ranked = text === '' ? [] : search.find({ viewKey, isPersonal, tools: listed, text, limit });
      const found = [...new Set([...named, ...ranked])];
      const tools = found.map(({ publicName, definition }): JsonObject => {
        const wire = call.era === 'legacy' ? projectForLegacy(definition.wire) : definition.wire;
        return { name: publicName, ...wire };
      });
      const missing = [...names].filter((name) => !named.some(({ publicName }) => publicName === name));
      return jsonToolResult({
        tools,
        ...(missing.length === 0 ? {} : { unknown: missing }),
        ...(tools.length > 0
          ? {}
          : { hint: 'Nothing matches. Try other words, or list all tools without mode=search.' }),
      });
    },
  };
}
