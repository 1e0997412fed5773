import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from './environment-source.ts';

/** The config file to read. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** Found in the current folder without having been named: whoever made the folder chose it. */
  readonly isFromCurrentFolder: boolean;
}

/** What the process runs in: passed in, so that nothing here reads it by itself. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Environment;
}

/** The named file, else the first of `./cortex.yaml`, the user's and `/etc/cortex/cortex.yaml` that exists. */
export async function findConfigFile(
  named: string | undefined,
  around: Surroundings,
): Promise<FoundFile | undefined> {
  if (named !== undefined) return { path: resolve(around.cwd, named), isFromCurrentFolder: false };
  for (const [index, path] of searchedFiles(around).entries()) {
    if (await exists(path)) return { path, isFromCurrentFolder: index === 0 };
  }
  return undefined;
}

/** Where a config file is looked for, in order. */
export function searchedFiles(around: Surroundings): readonly string[] {
  return [
    join(around.cwd, 'cortex.yaml'),
    join(userConfigDir(around), 'cortex.yaml'),
    '/etc/cortex/cortex.yaml',
  ];
}

/** `$STATE_DIRECTORY` of systemd (its first entry), else `$XDG_STATE_HOME/cortex`, else `~/.local/state/cortex`. */
export function defaultStateDir(around: Surroundings): string {
  const { environment } = around;
  const systemd = environment.STATE_DIRECTORY?.split(':')[0];
  if (systemd !== undefined && systemd !== '') return resolve(around.cwd, systemd);
  return join(xdgHome(around, 'XDG_STATE_HOME', '.local/state'), 'cortex');
}

/** `keys` beside the config file, else in the user's config folder. */
export function defaultKeysDir(file: string | undefined, around: Surroundings): string {
  return join(file === undefined ? userConfigDir(around) : dirname(file), 'keys');
}

/** Where systemd puts a credential of its service: `$CREDENTIALS_DIRECTORY`. */
export function credentialPath(name: string, { environment }: Surroundings): string | undefined {
  const folder = environment.CREDENTIALS_DIRECTORY;
  return folder?.startsWith('/') ? join(folder, name) : undefined;
}

/** Where the files of a person lie: `$XDG_CONFIG_HOME/cortex`. */
export function userConfigDir(around: Surroundings): string {
  return join(xdgHome(around, 'XDG_CONFIG_HOME', '.config'), 'cortex');
}

/** XDG counts relative paths as invalid; so does this. */
function xdgHome({ cwd, environment }: Surroundings, name: string, below: string): string {
  const configured = environment[name];
  if (configured?.startsWith('/')) return configured;
  return join(environment.HOME ?? environment.USERPROFILE ?? cwd, below);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
