/** What a column holds. Times are integers: milliseconds since the epoch. */
export type SqlValue = string | number | null;

export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * The database as the tables of this folder see it: plain SQL with `?` for each parameter. Rows come back as
 * `unknown`; each table's file parses its own. A failing statement throws: nothing here is an expected refusal.
 */
export interface Store {
  all(sql: string, ...params: readonly SqlValue[]): Promise<readonly unknown[]>;
  /** The number of rows changed. */
  run(sql: string, ...params: readonly SqlValue[]): Promise<number>;
  /** All of them or none. `isDurable`: resolves when they would outlive a power cut, and not only the process. */
  batch(statements: readonly Statement[], how?: { readonly isDurable: boolean }): Promise<void>;
  /** Removes what deleted rows left in the journal files too, as far as no other process is reading there. */
  scrub(): Promise<void>;
  close(): Promise<void>;
}
