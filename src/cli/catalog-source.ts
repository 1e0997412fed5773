import { createHttpBackend } from '#backends/http-backend.ts';
import { createCatalog } from '#catalog/catalog.ts';
import { readSnapshot } from '#catalog/read-snapshot.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Config } from '#config/config.ts';
import { assembleRulesOf, backendOptionsOf, backendRulesOf } from '#gateway-options.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { err } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { askGateway, controlPath } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { release } from './release.ts';

export interface FoundCatalog {
  /** `gateway`: what the running one serves. `polled`: what the backends said just now. */
  readonly source: 'gateway' | 'polled';
  readonly snapshot: Snapshot;
}

/** The catalog of the running gateway, else one made by asking the backends. Names are then as a new gateway would give them. */
export async function findCatalog(config: Config): Promise<FoundCatalog> {
  const answer = await askGateway(controlPath(config.stateDir), 'GET', '/catalog');
  if (answer === undefined) return { source: 'polled', snapshot: await pollOnce(config) };
  const read = readSnapshot(answer);
  if (read.ok) return { source: 'gateway', snapshot: read.value };
  throw new UserError('the running gateway is of another version than this command', {
    exitCode: exitCodes.no,
    next: 'restart the gateway, then try again',
  });
}

async function pollOnce(config: Config): Promise<Snapshot> {
  const outbound = createSocketOutbound();
  const identity = {
    resolve: async () => err({ reason: 'mode_unavailable', message: 'only lists' } as const),
  };
  const deps = { outbound, identity, clock: systemClock, random: Math.random };
  const backends = [...config.backends.values()].map((backend) => ({
    backend: createHttpBackend(backendOptionsOf(config, backend, release.version), deps),
    rules: backendRulesOf(config, backend.id),
  }));
  const catalog = createCatalog({
    backends,
    rules: assembleRulesOf(config),
    limits: config.limits,
    clock: systemClock,
    schedule: systemSchedule,
    random: Math.random,
    log: silentLog,
    store: undefined,
  });
  try {
    await catalog.poll();
    return catalog.snapshot();
  } finally {
    await catalog.close();
    await Promise.all(backends.map(({ backend }) => backend.close()));
    await outbound.close();
  }
}
