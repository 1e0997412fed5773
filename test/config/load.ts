import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '#config/config.ts';
import { showIssue } from '#config/issue.ts';
import { type LoadedConfig, type LoadReport, loadConfig } from '#config/load-config.ts';
import { createTempFolder } from '../support/temp-folder.ts';

interface Attempt {
  /** Written as `cortex.yaml` into a folder of its own. */
  readonly yaml?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string>>;
  /** False: the file is found in the current folder. */
  readonly isNamed?: boolean;
  readonly mayExpandSecrets?: boolean;
  /** More files, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly config: Config | undefined;
  readonly report: LoadReport | LoadedConfig;
  /** One line an issue, `error` and `warning` in front. */
  readonly issues: readonly string[];
  readonly folder: string;
}

/** Loads a configuration in a temporary folder that is also the user's home. */
export async function attempt(input: Attempt): Promise<Outcome> {
  await using temp = await createTempFolder();
  const folder = temp.path;
  if (input.yaml !== undefined) await writeFile(join(folder, 'cortex.yaml'), input.yaml);
  for (const [name, text] of Object.entries(input.files ?? {})) await writeFile(join(folder, name), text);
  const outcome = await loadConfig({
    cwd: folder,
    environment: { HOME: folder, ...input.environment },
    file: input.yaml !== undefined && input.isNamed !== false ? 'cortex.yaml' : undefined,
    flags: input.flags ?? {},
    mayExpandSecrets: input.mayExpandSecrets ?? false,
  });
  const report = outcome.ok ? outcome.value : outcome.error;
  return {
    config: outcome.ok ? outcome.value.config : undefined,
    report,
    issues: report.issues.map((issue) => `${issue.severity} ${showIssue(issue, folder)}`),
    folder,
  };
}

/** A configuration without problems, to which a test adds what it is about. */
export const soundYaml = `
auth: { issuers: [{ url: https://auth.example.com }] }
plans: { pro: [mcp:notes:read] }
`;

/** The error lines of a sound configuration with `more` added. */
export async function errorsOf(
  more: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { issues } = await attempt({ yaml: `${soundYaml}${more}`, environment });
  return issues.filter((line) => line.startsWith('error ')).map((line) => line.slice('error '.length));
}

/** The configuration of a sound file with `more` added; throws its problems. */
export async function configOf(
  more: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Config> {
  const { config, issues } = await attempt({ yaml: `${soundYaml}${more}`, environment });
  if (config === undefined) throw new Error(issues.join('\n'));
  return config;
}
