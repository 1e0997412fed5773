import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json.ts';

/** Whether a client that declared `capabilities` can be asked this (R27); what is no known question is never asked. */
export function mayAsk(method: string, params: JsonObject, capabilities: JsonObject): boolean {
  switch (method) {
    case 'elicitation/create':
      return canElicit(capabilities.elicitation, params.mode === 'url' ? 'url' : 'form');
    case 'sampling/createMessage': {
      const { sampling } = capabilities;
      return isJsonObject(sampling) && (params.tools === undefined || isJsonObject(sampling.tools));
    }
    case 'roots/list':
      return isJsonObject(capabilities.roots);
    default:
      return false;
  }
}

/** An empty `elicitation` declares forms (MCP 2025-11-25 client/elicitation). */
export function canElicit(declared: JsonValue | undefined, mode: 'form' | 'url'): boolean {
  if (!isJsonObject(declared)) return false;
  return isJsonObject(declared[mode]) || (mode === 'form' && Object.keys(declared).length === 0);
}
