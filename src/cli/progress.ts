import type { Terminal } from './terminal.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const clearLine = '\r\u001b[K';

/** When a line appears, and how often it moves. */
export interface Pace {
  readonly afterMs: number;
  readonly everyMs: number;
}

/**
 * Does the work; where it takes longer than half a second and somebody watches stderr, a line there says what is waited
 * for and how long already, and is gone afterwards. A pipe, a file and a dumb terminal never see it.
 */
export async function withProgress<T>(
  terminal: Terminal,
  what: string,
  work: () => Promise<T>,
  pace: Pace = { afterMs: 500, everyMs: 120 },
): Promise<T> {
  if (terminal.isTalkSeen !== true || terminal.environment.TERM === 'dumb') return work();
  const startedMs = performance.now();
  let drawn = 0;
  let timer = setTimeout(draw, pace.afterMs);
  function draw(): void {
    const seconds = Math.floor((performance.now() - startedMs) / 1_000);
    const line = `${frames[drawn % frames.length]} ${what}${seconds > 0 ? ` ${seconds} s` : ''}`;
    terminal.say(`${clearLine}${line.slice(0, Math.max(10, terminal.columns - 1))}`);
    drawn += 1;
    timer = setTimeout(draw, pace.everyMs);
  }
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (drawn > 0) terminal.say(clearLine);
  }
}
