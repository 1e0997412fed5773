import { deleteCatalog, loadCatalogs, saveCatalog } from '#store/catalog-rows.ts';
import {
  forgetPublicNames,
  loadPublicNames,
  type PublicNameRow,
  savePublicNames,
} from '#store/public-name-rows.ts';
import type { Store } from '#store/store.ts';
import type { CatalogStore } from './catalog-store.ts';
import type { NameRecord } from './naming.ts';

/** The catalog's memory in the tables `catalog_snapshot` and `public_names`. */
export function createStoredCatalog(store: Store): CatalogStore {
  return {
    async load() {
      const names = await loadPublicNames(store);
      return { backends: await loadCatalogs(store), names: names.map(recordOf) };
    },
    saveBackend: (saved) => saveCatalog(store, saved),
    removeBackend: (backend) => deleteCatalog(store, backend),
    saveNames: (records) => savePublicNames(store, records.map(rowOf)),
    removeNames: (records) => forgetPublicNames(store, records.map(rowOf)),
  };
}

function recordOf({ kind, publicName, backend, ownName, since, until }: PublicNameRow): NameRecord {
  return { kind, publicName, backend, ownName, since, retiredAt: until };
}

function rowOf({ kind, publicName, backend, ownName, since, retiredAt }: NameRecord): PublicNameRow {
  return { kind, publicName, backend, ownName, since, until: retiredAt };
}
