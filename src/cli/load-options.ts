import type { LoadOptions } from '#config/load-config.ts';
import type { Invocation } from './command.ts';

/** What `loadConfig` needs to know of an invocation. `mayExpandSecrets` is for `serve` alone. */
export function loadOptionsOf({ options, terminal }: Invocation, mayExpandSecrets: boolean): LoadOptions {
  return {
    cwd: terminal.cwd,
    environment: terminal.environment,
    file: options.text('config'),
    flags: { state: options.text('state'), listen: options.text('listen') },
    mayExpandSecrets,
  };
}
