import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import { createLineSplitter } from './stdio-lines.ts';

const maxLineBytes = 2_048;
const windowMs = 10_000;
const linesPerWindow = 100;
/** Shorter ones are no secrets, and would tear words apart. */
const minSecretLength = 6;

/**
 * What a child says on stderr, as lines of the log: bounded in length and number, and without the values of its configured
 * environment, which is where its secrets are.
 */
export function createStderrLog(
  server: string,
  env: ReadonlyMap<string, Secret>,
  deps: { readonly log: Log; readonly clock: Clock },
): (chunk: Uint8Array) => void {
  const secrets = [...env.values()]
    .map((value) => value.reveal())
    .filter((value) => value.length >= minSecretLength)
    // The longest first: one may hold another.
    .sort((a, b) => b.length - a.length);
  let windowEnds = 0;
  let lines = 0;
  let dropped = 0;

  function say(text: string): void {
    const now = deps.clock.monotonic();
    if (now >= windowEnds) {
      if (dropped > 0) deps.log.warn('server.stderr_dropped', { server, lines: dropped });
      windowEnds = now + windowMs;
      lines = 0;
      dropped = 0;
    }
    lines += 1;
    if (lines > linesPerWindow) {
      dropped += 1;
      return;
    }
    let shown = text;
    for (const secret of secrets) shown = shown.replaceAll(secret, '[secret]');
    deps.log.info('server.stderr', { server, text: shown });
  }

  return createLineSplitter(maxLineBytes, {
    line: say,
    unreadable: () => say('(not UTF-8)'),
    // Its head alone could end in half a secret.
    tooLong: () => say('(a line that is too long)'),
  });
}
