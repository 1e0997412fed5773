import { type AssembleSource, assemble } from '#catalog/assemble.ts';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import { nameKey } from '#catalog/naming.ts';
import { parseSavedCatalog } from '#catalog/saved-catalog.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { createStoredCatalog } from '#catalog/stored-catalog.ts';
import type { Config } from '#config/config.ts';
import { assembleRulesOf, backendRulesOf, serverRulesOf } from '#gateway-options.ts';
import { isBackendId } from '#kernel/ids.ts';
import type { Store } from '#store/store.ts';

/** What a gateway would show before its first poll: the lists that the last one saw. Changes nothing. */
export async function savedSnapshot(config: Config, store: Store): Promise<Snapshot> {
  const saved = await createStoredCatalog(store).load();
  const sources = saved.backends.flatMap(({ backend: id, catalog, savedAt }): readonly AssembleSource[] => {
    const read = parseSavedCatalog(catalog);
    if (!read.ok || !isBackendId(id)) return [];
    const server = config.servers.get(id);
    if (server === undefined && !config.backends.has(id)) return [];
    const { schemes } = read.value;
    return [
      {
        rules: server === undefined ? backendRulesOf(config, id) : serverRulesOf(server),
        state: {
          id,
          status: 'stale',
          lastGoodAt: savedAt,
          lastError: undefined,
          helpName: undefined,
          schemes,
        },
        catalog: read.value.catalog,
      },
    ];
  });
  const { snapshot } = assemble({
    sources,
    names: new Map(saved.names.map((name) => [nameKey(name.kind, name.publicName), name])),
    rules: assembleRulesOf(config),
    now: 0,
    before: emptySnapshot,
  });
  return snapshot;
}
