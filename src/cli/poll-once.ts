import { createCatalog } from '#catalog/catalog.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Config } from '#config/config.ts';
import type { ServerConfig } from '#config/server-config.ts';
import { assembleRulesOf, staticCredentialOf } from '#gateway-options.ts';
import { none } from '#identity/none.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { staticToken } from '#identity/static.ts';
import { systemClock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { createBackends } from '#wiring/backends.ts';
import { guardCommand, ownCommand } from './own-command.ts';
import { release } from './release.ts';

export interface Polled {
  readonly snapshot: Snapshot;
  /** Servers that were not asked, and why. */
  readonly leftOut: readonly { readonly id: BackendId; readonly why: LeftOut }[];
}
/** `linked`: it lists what each user may use, and nobody's account is at hand. `not_run`: its command may not be run. */
export type LeftOut = 'linked' | 'not_run';

/** Asks every backend and server once, as a new gateway would, and as nobody. */
export async function pollOnce(
  config: Config,
  { mayRunCommands, path }: { readonly mayRunCommands: boolean; readonly path: string },
): Promise<Polled> {
  const judged = [...config.servers.values()].map((server) => ({
    server,
    why: whyLeftOut(server, mayRunCommands),
  }));
  const asked = judged.filter(({ why }) => why === undefined).map(({ server }) => server);
  const outbound = createSocketOutbound();
  const backends = createBackends(
    { ...config, servers: new Map(asked.map((server) => [server.id, server])) },
    {
      outbound,
      identity: createIdentityResolver({
        none: none(),
        static: staticToken((id) => staticCredentialOf(config, id)),
      }),
      isDenied: () => false,
      events: { catalogChanged() {}, personalChanged() {}, resourceUpdated() {} },
      clock: systemClock,
      log: silentLog,
      version: release.version,
      guardCommand: ownCommand(guardCommand),
      path,
    },
  );
  const catalog = createCatalog({
    backends: backends.catalog(),
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
    const leftOut = judged.flatMap(({ server: { id }, why }) => (why === undefined ? [] : [{ id, why }]));
    return { snapshot: catalog.snapshot(), leftOut };
  } finally {
    await catalog.close();
    await backends.close();
    await outbound.close();
  }
}

function whyLeftOut({ identity, endpoint }: ServerConfig, mayRunCommands: boolean): LeftOut | undefined {
  if (identity === 'linked') return 'linked';
  return endpoint.kind === 'command' && !mayRunCommands ? 'not_run' : undefined;
}
