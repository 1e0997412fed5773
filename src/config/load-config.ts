import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { err, ok, type Result } from '#kernel/result.ts';
import { buildConfig } from './build-config.ts';
import { checkConfig } from './check-config.ts';
import type { Config } from './config.ts';
import { readEnvironment } from './environment-source.ts';
import {
  credentialPath,
  defaultKeysDir,
  defaultStateDir,
  type FoundFile,
  findConfigFile,
  type Surroundings,
} from './find-file.ts';
import { type Issue, problem, sortIssues, warning } from './issue.ts';
import { allOptions } from './options.ts';
import { createReader, type EffectiveSetting } from './reader.ts';
import { resolveSecrets } from './secret-source.ts';
import { createSettings, type Settings } from './settings.ts';
import { shapeOf } from './shape.ts';
import { readYaml } from './yaml-source.ts';

const maxFileBytes = 1024 * 1024;

export interface LoadOptions extends Surroundings {
  /** `--config`. Naming a file allows its secrets to be read. */
  readonly file: string | undefined;
  /** Flag name without dashes -> text; see the `flag` of the options table. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** Whether a file that merely lies in the current folder may have secrets read: true for `serve` alone. */
  readonly mayExpandSecrets: boolean;
}

/** What was read, whether it was good or not. */
export interface LoadReport {
  /** Absolute path of the config file; undefined: the environment alone. */
  readonly file: string | undefined;
  /** Absolute paths whose change may change the outcome. */
  readonly watched: readonly string[];
  /** In the order of their places. A loaded configuration has warnings only. */
  readonly issues: readonly Issue[];
  /** Every setting that could be read, defaults included. */
  readonly effective: readonly EffectiveSetting[];
}
export interface LoadedConfig extends LoadReport {
  readonly config: Config;
  /** Whether the commands of `servers` may be run: not those of a file that merely lies in the current folder. */
  readonly mayRunCommands: boolean;
}

/**
 * Reads file, environment and flags (the later counts), parses and checks it all. The error holds every problem
 * at once. Does not check whether anything named can be reached.
 */
export async function loadConfig(load: LoadOptions): Promise<Result<LoadedConfig, LoadReport>> {
  const found = await findConfigFile(load.file, load);
  const settings = createSettings();
  const shape = shapeOf(allOptions);
  const issues: Issue[] = [];

  if (found !== undefined) {
    const text = await readText(found.path);
    if (text.ok)
      issues.push(
        ...(await readYaml(
          { file: found.path, text: text.value, base: dirname(found.path) },
          shape,
          settings,
        )),
      );
    else issues.push(problem(undefined, `${found.path} cannot be read (${text.error})`));
  }
  issues.push(...readEnvironment(load.environment, allOptions, shape, settings, load.cwd));
  readFlags(load, settings);

  const hasSecrets = load.mayExpandSecrets || found?.isFromCurrentFolder !== true;
  const secrets = await resolveSecrets(settings, load.environment, hasSecrets);
  issues.push(...secrets.issues);
  if (!hasSecrets) issues.push(...withheldWarning(settings, found));

  const reader = createReader(settings);
  const config = buildConfig(reader, {
    stateDir: defaultStateDir(load),
    keysDir: defaultKeysDir(found?.path, load),
    vaultCredential: credentialPath('cortex_vault_key', load),
  });
  issues.push(...reader.issues);
  const { originOf, isRefused } = reader;
  issues.push(...checkConfig(config, { originOf, isRefused, hasFile: found !== undefined, hasSecrets }));

  const report: LoadReport = {
    file: found?.path,
    watched: [...(found === undefined ? [] : [found.path]), ...secrets.files],
    issues: sortIssues(issues),
    effective: inTableOrder(reader.effective),
  };
  return issues.some((issue) => issue.severity === 'error')
    ? err(report)
    : ok({ ...report, config, mayRunCommands: hasSecrets });
}

async function readText(path: string): Promise<Result<string, string>> {
  try {
    const bytes = await readFile(path);
    return bytes.byteLength > maxFileBytes ? err('larger than 1MB') : ok(bytes.toString('utf8'));
  } catch (error) {
    return err(error instanceof Error && 'code' in error ? String(error.code) : 'unreadable');
  }
}

function readFlags(load: LoadOptions, settings: Settings): void {
  for (const option of allOptions) {
    const raw = option.flag === undefined ? undefined : load.flags[option.flag];
    if (option.flag === undefined || raw === undefined) continue;
    const path = option.path.split('.');
    const origin = { kind: 'flag', name: option.flag } as const;
    settings.set({ path, option, raw, origin, itemOrigins: [], base: load.cwd, isWithheld: false });
  }
}

function withheldWarning(settings: Settings, found: FoundFile | undefined): readonly Issue[] {
  const hasAny = [...settings.all()].some((setting) => setting.isWithheld);
  if (!hasAny || found === undefined) return [];
  const message = 'secrets were not read: the config file was found in the current folder, not named';
  return [warning(undefined, message, `To read them, add --config ${found.path}.`)];
}

/** By the order of the table's sections: limits are read before the backends whose defaults they are. */
function inTableOrder(effective: readonly EffectiveSetting[]): readonly EffectiveSetting[] {
  const section = (path: string) => path.split('.', 1)[0] ?? '';
  const order = [...new Set(allOptions.map((option) => section(option.path)))];
  return effective.toSorted((a, b) => order.indexOf(section(a.path)) - order.indexOf(section(b.path)));
}
