import type { Invocation } from './command.ts';
import type { Screen } from './terminal.ts';

/** What a view may draw on: only where a person sits in front of a terminal and did not ask for lines. */
export function screenFor({ options, output, terminal }: Invocation): Screen | undefined {
  if (output.isJson || options.has('plain') || !terminal.isInteractive) return undefined;
  return terminal.environment.TERM === 'dumb' ? undefined : terminal.screen?.();
}
