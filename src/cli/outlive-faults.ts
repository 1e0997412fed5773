import { randomId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';

/**
 * A fault in what nobody waits for (a list fetched in the background, a stream for news) would end the process, and
 * with it everybody's calls. It is a bug of ours all the same: logged as one.
 */
export function outliveFaults(log: Log): void {
  const tell = (error: unknown): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error('gateway.fault', { id: randomId(), error: String(error), stack });
  };
  process.on('unhandledRejection', tell);
  process.on('uncaughtException', tell);
}
