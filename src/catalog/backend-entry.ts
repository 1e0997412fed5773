import type { Backend, Discovery } from '#backends/backend.ts';
import type { BackendCatalog } from '#contract/types.ts';
import type { Log } from '#kernel/log.ts';
import { err, type Result } from '#kernel/result.ts';
import type { BackendRules } from './assemble.ts';
import { keepEqual } from './keep-equal.ts';
import type { Poller } from './poller.ts';
import type { BackendState } from './snapshot.ts';

const MAX_LOGGED_PROBLEMS = 20;

/** A backend with what the operator says about its catalog. */
export interface CatalogBackend {
  readonly backend: Backend;
  readonly rules: BackendRules;
}

/** What the catalog knows of one backend; changed in place by its polls, read when a snapshot is assembled. */
export interface BackendEntry {
  readonly backend: Backend;
  rules: BackendRules;
  readonly poller: Poller;
  /** The last good one. */
  catalog: BackendCatalog | undefined;
  etag: string | undefined;
  schemes: readonly string[];
  helpName: string | undefined;
  lastGoodAt: number | undefined;
  /** When the polls began to fail, or when a catalog was taken up that this backend has not confirmed yet. */
  failingSince: number | undefined;
  lastError: string | undefined;
  hasUnsavedNews: boolean;
}

/** How a backend stands at a moment: stale for the grace period after its polls began to fail, then gone. */
export function stateAt(entry: BackendEntry, staleGraceMs: number, now: number): BackendState {
  const { backend, lastGoodAt, lastError, helpName, schemes } = entry;
  return {
    id: backend.id,
    status: statusAt(entry, staleGraceMs, now),
    lastGoodAt,
    lastError,
    helpName,
    schemes,
  };
}

function statusAt(
  { catalog, failingSince }: BackendEntry,
  staleGraceMs: number,
  now: number,
): BackendState['status'] {
  if (catalog === undefined) return 'gone';
  if (failingSince === undefined) return 'fresh';
  return now - failingSince < staleGraceMs ? 'stale' : 'gone';
}

/** When the backend will be gone if it goes on failing; undefined while it does well or is gone. */
export function goneAt(entry: BackendEntry, staleGraceMs: number, now: number): number | undefined {
  if (entry.catalog === undefined || entry.failingSince === undefined) return undefined;
  const at = entry.failingSince + staleGraceMs;
  return at > now ? at : undefined;
}

/**
 * Writes the outcome of a poll into the entry; true where the next snapshot may differ by it. Only the first of
 * the same failures in a row is logged.
 */
export function takeOutcome(
  entry: BackendEntry,
  outcome: Result<Discovery, string>,
  log: Log,
  now: number,
): boolean {
  const { id } = entry.backend;
  const answer = checkAnswer(entry, outcome);
  if (!answer.ok) {
    if (entry.lastError !== answer.error)
      log.warn('catalog.poll_failed', { backend: id, reason: answer.error });
    const isFirstFailure = entry.failingSince === undefined;
    entry.failingSince ??= now;
    entry.lastError = answer.error;
    return isFirstFailure;
  }
  const isRecovery = entry.failingSince !== undefined;
  if (entry.lastError !== undefined) log.info('catalog.poll_recovered', { backend: id });
  entry.lastGoodAt = now;
  entry.failingSince = undefined;
  entry.lastError = undefined;
  if (answer.value.kind === 'unchanged') return isRecovery;
  const { catalog, etag, problems } = answer.value;
  const kept = keepEqual(entry.catalog, catalog);
  entry.etag = etag;
  if (kept === entry.catalog) return isRecovery;
  entry.catalog = kept;
  entry.hasUnsavedNews = true;
  for (const problem of problems.slice(0, MAX_LOGGED_PROBLEMS))
    log.warn('catalog.definition_left_out', { backend: id, problem });
  return true;
}

function checkAnswer(entry: BackendEntry, outcome: Result<Discovery, string>): Result<Discovery, string> {
  if (outcome.ok && outcome.value.kind === 'unchanged' && entry.catalog === undefined)
    return err('answered "unchanged" before it had listed anything');
  return outcome;
}
