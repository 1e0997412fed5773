import { showIssue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { watchConfig } from '#config/watch-config.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { loadOptionsOf } from '../load-options.ts';
import { requireConfig } from '../require-config.ts';
import { startGateway } from '../running-gateway.ts';
import { untilStopped } from '../until-stopped.ts';

const quietMs = 200;

/** Runs the gateway until SIGTERM or SIGINT; SIGHUP or a changed file reloads. */
export async function serve(invocation: Invocation): Promise<number> {
  const { terminal, output } = invocation;
  const loaded = await requireConfig(invocation, true);
  const { config } = loaded;
  let problems: readonly string[] = [];
  const running = await startGateway(config, terminal, async () => {
    await watch.reload();
    return problems;
  });
  const { gateway, log } = running;
  const watch = await watchConfig(loaded.watched, {
    load: () => loadConfig(loadOptionsOf(invocation, true)),
    onLoaded(next) {
      problems = [];
      const restart = gateway.reload(next.config);
      log.info('config.reloaded', { backends: next.config.backends.size });
      for (const setting of restart) log.warn('config.restart_needed', { setting });
    },
    onRefused(report) {
      problems = report.issues
        .filter(({ severity }) => severity === 'error')
        .map((issue) => showIssue(issue, terminal.cwd));
      for (const problem of problems) log.error('config.refused', { problem });
    },
    quietMs,
  });
  output.note(`${config.gateway.url} on ${running.host}:${running.port}, ${config.backends.size} backends`);
  log.info('gateway.listening', { url: config.gateway.url, host: running.host, port: running.port });

  const signal = await untilStopped(() => void watch.reload());
  log.info('gateway.stopping', { signal });
  watch.close();
  await running.stop();
  return exitCodes.done;
}
