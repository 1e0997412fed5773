import type { JsonObject } from '#kernel/json.ts';
import { quarantinedItems } from './quarantined-items.ts';
import type { BackendState, CatalogTool, Snapshot } from './snapshot.ts';

/**
 * A snapshot as JSON for the operator's commands: names, owners, scopes, definitions, what is withheld and why.
 * It tells everything there is: for the control socket, never for a caller. `readSnapshot` is the
 * way back, but for the names of before.
 */
export function serialiseSnapshot(snapshot: Snapshot): JsonObject {
  const isStale = (backend: CatalogTool['backend']) => snapshot.backends.get(backend)?.status === 'stale';
  return {
    generation: snapshot.generation,
    tools: [...snapshot.tools.values()].map(({ publicName, backend, definition }) => ({
      publicName,
      backend,
      ownName: definition.name,
      scopes: definition.scopes,
      description: definition.description,
      version: definition.version,
      deprecated: definition.deprecated,
      bytes: Buffer.byteLength(JSON.stringify({ name: publicName, ...definition.wire })),
      stale: isStale(backend),
      wire: definition.wire,
    })),
    prompts: [...snapshot.prompts.values()].map(({ publicName, backend, definition }) => ({
      publicName,
      backend,
      ownName: definition.name,
      scopes: definition.scopes,
      stale: isStale(backend),
      wire: definition.wire,
    })),
    resources: [...snapshot.resources.values()].map(({ uri, backend, definition }) => ({
      uri,
      backend,
      scopes: definition.scopes,
      stale: isStale(backend),
      wire: definition.wire,
    })),
    templates: snapshot.templates.map(({ uriTemplate, backend, definition }) => ({
      uriTemplate,
      backend,
      scopes: definition.scopes,
      stale: isStale(backend),
      wire: definition.wire,
    })),
    backends: [...snapshot.backends.values()].map(backendJson),
    formerNames: Object.fromEntries(snapshot.formerNames),
    withheld: snapshot.withheld.map(({ backend, kind, name, reason }) => ({ backend, kind, name, reason })),
    quarantined: quarantinedItems(snapshot.quarantined).map(({ kind, name, item }) => {
      const { backend, scopes, reason } = item;
      return { kind, name, backend, scopes, reason };
    }),
  };
}

function backendJson({ id, status, lastGoodAt, lastError, helpName, schemes }: BackendState): JsonObject {
  return { id, status, lastGoodAt, lastError, helpName, schemes };
}
