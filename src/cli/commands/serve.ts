import type { Config } from '#config/config.ts';
import { showIssue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { watchConfig } from '#config/watch-config.ts';
import { fingerprint } from '#config/watch-files.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadOptionsOf } from '../load-options.ts';
import { outliveFaults } from '../outlive-faults.ts';
import { requireConfig } from '../require-config.ts';
import { startGateway } from '../running-gateway.ts';
import { untilStopped } from '../until-stopped.ts';

const quietMs = 200;

/** Runs the gateway until SIGTERM or SIGINT; SIGHUP or a changed file reloads. */
export async function serve(given: Invocation): Promise<number> {
  if (given.options.has('check')) {
    const { check } = await import('./check.ts');
    return check(given);
  }
  const dev = given.options.has('dev') ? await (await import('../dev-mode.ts')).startDevMode() : undefined;
  const invocation = dev === undefined ? given : withIssuer(given, dev.issuer.url);
  const adopt = (config: Config) => dev?.adopt(config) ?? config;
  const { terminal, output } = invocation;
  const loaded = await requireConfig(invocation, true, given.terminal.environment);
  const config = adopt(loaded.config);
  const since = await fingerprint(loaded.watched);
  let problems: readonly string[] = [];
  const running = await startGateway(config, terminal, {
    isDev: dev !== undefined,
    async reload() {
      await watch.reload();
      return problems;
    },
  });
  const { gateway, log } = running;
  outliveFaults(log);
  const watch = await watchConfig(loaded.watched, {
    load: () => loadConfig(loadOptionsOf(invocation, true)),
    onLoaded(next) {
      problems = [];
      let restart: readonly string[];
      try {
        restart = gateway.reload(adopt(next.config));
      } catch (error) {
        // Whatever the checks let through: the old configuration stays.
        problems = [error instanceof Error ? error.message : String(error)];
        for (const problem of problems) log.error('config.refused', { problem });
        return;
      }
      const { backends, servers } = next.config;
      log.info('config.reloaded', { backends: backends.size, servers: servers.size });
      for (const setting of restart) log.warn('config.restart_needed', { setting });
    },
    onRefused(report) {
      const errors = report.issues.filter(({ severity }) => severity === 'error');
      problems = errors.map((issue) => showIssue(issue, terminal.cwd));
      for (const problem of problems) log.error('config.refused', { problem });
    },
    quietMs,
    since,
  });
  // Before anybody can know that it listens, and stop it again.
  const stopped = untilStopped(() => void watch.reload());
  log.info('gateway.listening', {
    url: config.gateway.url,
    host: running.host,
    port: running.port,
    backends: config.backends.size,
    servers: config.servers.size,
  });
  if (dev !== undefined) {
    output.warn(
      'DEV: this gateway takes tokens that anyone on this machine could have; never put it behind a proxy',
    );
    output.line(await dev.mint(gateway, config.gateway.url));
  }

  const signal = await stopped;
  log.info('gateway.stopping', { signal });
  watch.close();
  await running.stop();
  await dev?.issuer.close();
  return exitCodes.done;
}

/** Development needs no issuer of the operator's own. */
function withIssuer(invocation: Invocation, issuer: string): Invocation {
  const { environment } = invocation.terminal;
  if (environment.OAUTH_ISSUER !== undefined) return invocation;
  const terminal = { ...invocation.terminal, environment: { ...environment, OAUTH_ISSUER: issuer } };
  return { ...invocation, terminal };
}
