import type { SignedMarks } from '#backends/signed-list.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import { loadCatalogMarks, saveCatalogMark } from '#store/catalog-mark-rows.ts';
import type { Store } from '#store/store.ts';

/** The marks of each backend, as the store keeps them. */
export async function openCatalogMarks(store: Store, log: Log): Promise<(id: BackendId) => SignedMarks> {
  const marks = new Map<string, number>();
  const keyOf = (backend: string, method: string) => `${backend} ${method}`;
  for (const { backend, method, signedAt } of await loadCatalogMarks(store)) {
    marks.set(keyOf(backend, method), signedAt);
  }
  return (id) => ({
    last: (method) => marks.get(keyOf(id, method)),
    async advance(method, signedAt) {
      marks.set(keyOf(id, method), signedAt);
      await saveCatalogMark(store, { backend: id, method, signedAt }).catch((error: unknown) =>
        log.error('catalog.mark_not_kept', { backend: id, error: String(error) }),
      );
    },
  });
}
