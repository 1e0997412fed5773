import type { Result } from '#kernel/result.ts';
import type { LoadedConfig, LoadReport } from './load-config.ts';
import { watchFiles } from './watch-files.ts';

/** A load that names a further file to watch is done again, so that no change in between is missed. */
const maxRounds = 3;

export interface ConfigWatchDeps {
  /** Reads everything anew; `loadConfig` with its options. */
  readonly load: () => Promise<Result<LoadedConfig, LoadReport>>;
  /** A valid configuration: swap to it. */
  readonly onLoaded: (loaded: LoadedConfig) => void | Promise<void>;
  /** It has problems: keep the old one, and say why. */
  readonly onRefused: (report: LoadReport) => void;
  /** How long the files must be quiet before they are read. */
  readonly quietMs: number;
  /** The fingerprint of the files when they were first read: what changed since then is read again. */
  readonly since?: string;
}

export interface ConfigWatch {
  /** Loads now; for SIGHUP. Resolves when the outcome was handed on. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Reloads whenever the config file, or a file that holds one of its secrets, changed; `watched` is what the
 * first load read. Loads never overlap: one asked for during another follows it.
 */
export async function watchConfig(watched: readonly string[], deps: ConfigWatchDeps): Promise<ConfigWatch> {
  let last: Promise<void> = Promise.resolve();
  let isClosed = false;
  const files = watchFiles(() => void reload(), deps.quietMs);

  async function loadOnce(): Promise<void> {
    if (isClosed) return;
    await files.settle();
    let outcome = await deps.load();
    for (let round = 0; round < maxRounds && files.aim(watchedBy(outcome)); round++) {
      await files.settle();
      outcome = await deps.load();
    }
    if (isClosed) return;
    if (outcome.ok) await deps.onLoaded(outcome.value);
    else deps.onRefused(outcome.error);
  }

  function watchedBy(outcome: Result<LoadedConfig, LoadReport>): readonly string[] {
    const report = outcome.ok ? outcome.value : outcome.error;
    return [...new Set([...watched, ...report.watched])];
  }

  function reload(): Promise<void> {
    last = last.then(loadOnce, loadOnce);
    return last;
  }

  files.aim(watched);
  await files.settle(deps.since);
  return {
    reload,
    close() {
      isClosed = true;
      files.close();
    },
  };
}
