/**
 * The schema, one list of statements a version. A shipped version is never edited; a change is a new one.
 * SCHEMA.md says what each table is for.
 */
export const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE audit_pseudonyms (
      lookup TEXT PRIMARY KEY,
      sealed TEXT NOT NULL,
      created_at INTEGER NOT NULL
    )`,
    `CREATE TABLE catalog_snapshot (
      backend TEXT PRIMARY KEY,
      catalog TEXT NOT NULL,
      etag TEXT,
      saved_at INTEGER NOT NULL
    )`,
    `CREATE TABLE public_names (
      kind TEXT NOT NULL,
      public_name TEXT NOT NULL,
      backend TEXT NOT NULL,
      own_name TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER,
      PRIMARY KEY (kind, public_name, backend, own_name)
    )`,
    `CREATE TABLE session_tombstones (
      session TEXT PRIMARY KEY,
      expires_at INTEGER NOT NULL
    )`,
    'CREATE INDEX session_tombstones_by_expiry ON session_tombstones (expires_at)',
    `CREATE TABLE tickets (
      id TEXT PRIMARY KEY,
      dedupe_key TEXT NOT NULL,
      reporter TEXT NOT NULL,
      agent TEXT,
      backend TEXT,
      severity TEXT NOT NULL,
      title TEXT NOT NULL,
      details TEXT NOT NULL,
      status TEXT NOT NULL,
      occurrences INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      last_seen_at INTEGER NOT NULL
    )`,
    'CREATE INDEX tickets_by_dedupe_key ON tickets (dedupe_key, created_at)',
    'CREATE INDEX tickets_by_reporter ON tickets (reporter, created_at)',
  ],
  [
    `CREATE TABLE session_states (
      session TEXT PRIMARY KEY,
      log_level TEXT NOT NULL,
      subscriptions TEXT NOT NULL,
      expires_at INTEGER NOT NULL
    )`,
    'CREATE INDEX session_states_by_expiry ON session_states (expires_at)',
  ],
  [
    `CREATE TABLE vault_keys (
      name TEXT PRIMARY KEY,
      sealed TEXT NOT NULL
    )`,
    `CREATE TABLE vault_owners (
      owner TEXT PRIMARY KEY,
      sealed TEXT NOT NULL,
      created_at INTEGER NOT NULL
    )`,
    `CREATE TABLE vault_grants (
      owner TEXT NOT NULL,
      server TEXT NOT NULL,
      generation INTEGER NOT NULL,
      sealed TEXT NOT NULL,
      dead INTEGER NOT NULL,
      last_used_at INTEGER,
      lease TEXT,
      lease_until INTEGER NOT NULL,
      PRIMARY KEY (owner, server)
    )`,
    `CREATE TABLE link_flows (
      id TEXT PRIMARY KEY,
      sealed TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      consumed INTEGER NOT NULL
    )`,
    'CREATE INDEX link_flows_by_expiry ON link_flows (expires_at)',
    `CREATE TABLE link_tickets (
      ticket TEXT PRIMARY KEY,
      sealed TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      consumed INTEGER NOT NULL
    )`,
    'CREATE INDEX link_tickets_by_expiry ON link_tickets (expires_at)',
    `CREATE TABLE link_clients (
      server TEXT NOT NULL,
      issuer TEXT NOT NULL,
      redirect_uri TEXT NOT NULL,
      sealed TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (server, issuer, redirect_uri)
    )`,
  ],
  [
    `CREATE TABLE audit_calls (
      chain TEXT NOT NULL,
      seq INTEGER NOT NULL,
      user TEXT NOT NULL,
      time INTEGER NOT NULL,
      method TEXT NOT NULL,
      tool TEXT,
      backend TEXT,
      outcome TEXT NOT NULL,
      code TEXT NOT NULL,
      ms REAL NOT NULL,
      PRIMARY KEY (chain, seq)
    )`,
    'CREATE INDEX audit_calls_by_user ON audit_calls (user, time)',
    `CREATE TABLE audit_call_marks (
      chain TEXT PRIMARY KEY,
      seq INTEGER NOT NULL
    )`,
    `CREATE TABLE sign_in_clients (
      issuer TEXT PRIMARY KEY,
      sealed TEXT NOT NULL
    )`,
  ],
  [
    `CREATE TABLE revocations (
      issuer TEXT NOT NULL,
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      before INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      PRIMARY KEY (issuer, kind, value)
    )`,
  ],
  ['CREATE INDEX revocations_by_expiry ON revocations (expires_at)'],
  [
    `CREATE TABLE baselines_seen (
      path TEXT PRIMARY KEY,
      at INTEGER NOT NULL,
      digest TEXT NOT NULL
    )`,
  ],
  [
    `CREATE TABLE catalog_marks (
      backend TEXT NOT NULL,
      method TEXT NOT NULL,
      signed_at INTEGER NOT NULL,
      PRIMARY KEY (backend, method)
    )`,
  ],
];
