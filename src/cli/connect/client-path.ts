import { isAbsolute, join } from 'node:path';
import type { ClientFile, Platform } from '#clients/client.ts';
import type { Surroundings } from '#config/find-file.ts';

/** Where a client's file lies on this machine. Undefined: the client has none of that reach, or nobody knows the home folder. */
export function clientPath(
  file: ClientFile,
  reach: 'user' | 'project',
  platform: Platform,
  { cwd, environment }: Surroundings,
): string | undefined {
  if (reach === 'project') return file.project === undefined ? undefined : join(cwd, file.project);
  const { movedBy } = file;
  const moved = movedBy === undefined ? undefined : environment[movedBy.variable];
  if (moved !== undefined && isAbsolute(moved))
    return movedBy?.name === undefined ? moved : join(moved, movedBy.name);
  const home = environment.HOME ?? environment.USERPROFILE;
  const path = file.user[platform];
  if (path.startsWith('~/')) return home === undefined ? undefined : join(home, path.slice(2));
  const [, variable = '', below = ''] = /^%(\w+)%\\(.+)$/.exec(path) ?? [];
  const folder = environment[variable];
  return folder === undefined ? undefined : join(folder, ...below.split('\\'));
}
