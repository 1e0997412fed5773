import { readSnapshot } from '#catalog/read-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { LoadedConfig } from '#config/load-config.ts';
import { askGateway, controlPath } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { type Polled, pollOnce } from './poll-once.ts';

export interface FoundCatalog {
  /** `gateway`: what the running one serves. `polled`: what the backends said just now. */
  readonly source: 'gateway' | 'polled';
  readonly snapshot: Snapshot;
  readonly leftOut: Polled['leftOut'];
}

/** The catalog of the running gateway, else one made by asking the backends. Names are then as a new gateway would give them. */
export async function findCatalog(loaded: LoadedConfig, path: string): Promise<FoundCatalog> {
  const { config, mayRunCommands } = loaded;
  const answer = await askGateway(controlPath(config.stateDir), 'GET', '/catalog');
  if (answer === undefined) {
    return { source: 'polled', ...(await pollOnce(config, { mayRunCommands, path })) };
  }
  const read = readSnapshot(answer);
  if (read.ok) return { source: 'gateway', snapshot: read.value, leftOut: [] };
  throw new UserError('the running gateway is of another version than this command', {
    exitCode: exitCodes.no,
    next: 'restart the gateway, then try again',
  });
}
