import { showFile, showIssue } from '#config/issue.ts';
import { type LoadedConfig, loadConfig } from '#config/load-config.ts';
import type { Invocation } from './command.ts';
import { UserError } from './errors.ts';
import { loadOptionsOf } from './load-options.ts';
import { count } from './output.ts';

/** A token goes where the configuration says: to nobody whom a file chose that merely lies in the current folder. */
export function requireTrusted({ mayRunCommands }: LoadedConfig): void {
  if (mayRunCommands) return;
  throw new UserError('the configuration merely lies in this folder: no token is sent where it says', {
    next: 'if you trust it, name it: --config cortex.yaml',
  });
}

/** The configuration a command needs; warnings are told, problems are a {@link UserError} that names all of them. */
export async function requireConfig(
  invocation: Invocation,
  mayExpandSecrets: boolean,
  /** What the person set; of what a command puts beside it nobody need be warned. */
  own = invocation.terminal.environment,
): Promise<LoadedConfig> {
  const { cwd } = invocation.terminal;
  const outcome = await loadConfig(loadOptionsOf(invocation, mayExpandSecrets));
  const report = outcome.ok ? outcome.value : outcome.error;
  for (const issue of report.issues) {
    if (issue.origin?.kind === 'environment' && own[issue.origin.name] === undefined) continue;
    if (issue.severity === 'warning') invocation.output.warn(`warning: ${showIssue(issue, cwd)}`);
  }
  if (outcome.ok) return outcome.value;
  const problems = report.issues.filter((issue) => issue.severity === 'error');
  const source = report.file === undefined ? 'the environment' : showFile(report.file, cwd);
  const lines = problems.map((issue) => `\n  ${showIssue(issue, cwd)}`);
  throw new UserError(`${count(problems.length, 'problem')} in ${source}${lines.join('')}`, {
    next: 'put them right, then: cortex check',
  });
}
