import type { Config } from '#config/config.ts';
import { createGateway, type Gateway } from '#gateway.ts';
import { systemClock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { createLogger } from '#observability/logger.ts';
import { openControl } from '#server/control.ts';
import { type Listener, listen } from '#server/listener.ts';
import { StartError } from '#wiring/start-error.ts';
import { askGateway, controlPath } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { guardCommand, ownCommand } from './own-command.ts';
import { release } from './release.ts';
import type { Terminal } from './terminal.ts';

/** A gateway with its sockets open. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly host: string;
  readonly port: number;
  /** Calls finish, streams end, the audit is flushed; then everything is closed. */
  stop(): Promise<void>;
}

/** Builds the gateway, opens the control socket and listens; what stands in the way is a {@link UserError}. */
export async function startGateway(
  config: Config,
  terminal: Terminal,
  options: { readonly isDev: boolean; readonly reload: () => Promise<readonly string[]> },
): Promise<RunningGateway> {
  const path = controlPath(config.stateDir);
  if ((await askGateway(path, 'GET', '/status')) !== undefined) {
    throw new UserError(`another gateway runs on ${config.stateDir}`, {
      next: 'stop it, or start this one with another --state folder',
    });
  }
  const log = createLogger({ ...config.log, write: terminal.say, clock: systemClock });
  const gateway = await createGateway(config, {
    log,
    clock: systemClock,
    version: release.version,
    isDev: options.isDev,
    guardCommand: ownCommand(guardCommand),
    path: terminal.environment.PATH ?? '',
    stdout: terminal.out,
    reload: options.reload,
  }).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    throw new UserError(error.message, { next: 'put it right, then start again' });
  });
  const control = openControl(path, gateway.operations);
  const listeners: Listener[] = [];
  let address = config.gateway.listen;
  try {
    await gateway.readRevocations();
    const { host } = address;
    const listener = listen(gateway, address, config.limits.maxRequestBodyBytes);
    listeners.push(listener);
    if (config.admin.listen !== undefined) {
      address = config.admin.listen;
      const admin = listen(gateway.admin, address, limits.maxOperationBytes);
      listeners.push(admin);
      log.info('gateway.admin_listening', {
        host: admin.host,
        port: admin.port,
        tokens: config.admin.tokens.size,
      });
    }
    return {
      gateway,
      log,
      host,
      port: listener.port,
      async stop() {
        await gateway.drain(limits.drainMs);
        await Promise.all(listeners.map((open) => open.close()));
        await control.close();
        await gateway.close();
      },
    };
  } catch (error) {
    await Promise.all(listeners.map((open) => open.close()));
    await control.close();
    await gateway.close();
    const { host, port } = address;
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`cannot listen on ${host}:${port}: ${why}`, {
      exitCode: exitCodes.unreachable,
      next:
        address === config.gateway.listen
          ? 'free the port, or choose another with --listen'
          : 'free the port, or choose another admin.listen',
    });
  }
}
