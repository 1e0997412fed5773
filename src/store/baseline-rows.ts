import { asRow, integerOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** The newest baseline of tool definitions that was used from a file. */
export interface BaselineRow {
  /** Milliseconds since the epoch, as the baseline itself says it. */
  readonly at: number;
  /** SHA-256 of the file. */
  readonly digest: string;
}

export async function loadSeenBaseline(store: Store, path: string): Promise<BaselineRow | undefined> {
  const [row] = await store.all('SELECT at, digest FROM baselines_seen WHERE path = ?', path);
  if (row === undefined) return undefined;
  const seen = asRow(row);
  return { at: integerOf(seen, 'at'), digest: textOf(seen, 'digest') };
}

export async function saveSeenBaseline(
  store: Store,
  path: string,
  { at, digest }: BaselineRow,
): Promise<void> {
  await store.run(
    `INSERT INTO baselines_seen (path, at, digest) VALUES (?, ?, ?)
     ON CONFLICT (path) DO UPDATE SET at = excluded.at, digest = excluded.digest`,
    path,
    at,
    digest,
  );
}
