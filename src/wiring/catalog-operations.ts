import type { AuditLog } from '#audit/audit-log.ts';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OperationRefusal, Operations } from '#server/operation.ts';

/** Linking the account that a server's lists are read with: operators alone may begin it. */
export interface CatalogLink {
  /** The page where it is linked, good once, for ten minutes; undefined where no such server links accounts. */
  start(server: string): Promise<string | undefined>;
  /** `{state, account, linked_at}`, as `GET /link/<server>/status` says it. */
  status(server: string): Promise<JsonObject | undefined>;
}

export interface CatalogOperationsDeps {
  readonly catalog: { snapshot(): Snapshot; poll(): Promise<void> };
  readonly link: CatalogLink;
  readonly act: AuditLog['act'];
}

/** `GET /catalog`, `POST /poll` (both give the whole catalog), and `POST /catalog-link/start` and `status` with `{server}`. */
export function catalogOperations({ catalog, link, act }: CatalogOperationsDeps): Operations {
  async function about(
    input: JsonObject,
    ask: (server: string) => Promise<JsonObject | undefined>,
  ): Promise<Result<JsonObject, OperationRefusal>> {
    const server = stringAt(input, 'server');
    const answer = server === undefined ? undefined : await ask(server);
    if (answer !== undefined) return ok(answer);
    const message = `no server ${server ?? ''} reads its lists with a linked account (identity: linked, list: shared)`;
    return err({ reason: 'not_shared', message });
  }
  return {
    'GET /catalog': { role: 'read', run: async () => ok(serialiseSnapshot(catalog.snapshot())) },
    'POST /poll': {
      role: 'operate',
      async run(_input, actor) {
        await act('admin', { action: 'catalog.poll', actor });
        await catalog.poll();
        return ok(serialiseSnapshot(catalog.snapshot()));
      },
    },
    'POST /catalog-link/start': {
      role: 'operate',
      run: (input, actor) =>
        about(input, async (server) => {
          const url = await link.start(server);
          if (url === undefined) return undefined;
          await act('admin', { action: 'catalog_link.start', actor, server });
          return { url };
        }),
    },
    'POST /catalog-link/status': { role: 'read', run: (input) => about(input, link.status) },
  };
}
