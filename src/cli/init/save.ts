import { randomBytes } from 'node:crypto';
import { constants, existsSync, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { copyFile, link, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Issue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { UserError } from '../errors.ts';
import type { Terminal } from '../terminal.ts';

export interface Saved {
  readonly file: string;
  /** A copy of what was there before. */
  readonly backup: string | undefined;
  readonly secrets: readonly SavedSecret[];
  readonly warnings: readonly Issue[];
}
export interface SavedSecret {
  readonly id: string;
  readonly file: string;
  /** It lay there already, and was kept. */
  readonly isOld: boolean;
}

/** Nothing was written where the configuration would not load. */
export type SaveProblem = { readonly issues: readonly Issue[] };

/**
 * Writes the secrets (0600, each once), then the configuration: loaded first, as `cortex check` does, and put in its
 * place whole. A file that is there is replaced only with `isForced`, and kept as a copy.
 */
export async function saveConfig(
  wanted: { readonly file: string; readonly text: string; readonly isForced: boolean },
  secretIds: ReadonlyMap<string, string>,
  terminal: Terminal,
): Promise<Result<Saved, SaveProblem>> {
  const file = existsSync(wanted.file) ? realpathSync(wanted.file) : wanted.file;
  const folder = dirname(file);
  const draft = join(folder, `.${basename(file)}.${randomBytes(6).toString('hex')}.new`);
  const secrets: SavedSecret[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const [id, path] of secretIds) secrets.push(await makeSecret(id, join(folder, path)));
    await writeDraft(
      draft,
      wanted.text,
      wanted.isForced ? statSync(file, { throwIfNoEntry: false }) : undefined,
    );
    const { cwd, environment } = terminal;
    const loaded = await loadConfig({ cwd, environment, file: draft, flags: {}, mayExpandSecrets: true });
    if (!loaded.ok) {
      await takeBack(secrets);
      return err({ issues: loaded.error.issues.map((issue) => aboutFile(issue, draft, file)) });
    }
    const backup = await put(draft, file, wanted.isForced);
    const warnings = loaded.value.issues.map((issue) => aboutFile(issue, draft, file));
    return ok({ file, backup, secrets, warnings });
  } catch (error) {
    await takeBack(secrets);
    if (error instanceof UserError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new UserError(`${file} cannot be written (${String(error.code)})`, {
      next: 'name another place: cortex init --config FILE',
    });
  } finally {
    await rm(draft, { force: true });
  }
}

/** A link never replaces anything, so what came to lie there in the meantime stays. */
async function put(draft: string, file: string, isForced: boolean): Promise<string | undefined> {
  if (!isForced || !existsSync(file)) {
    await link(draft, file).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EEXIST') throw alreadyThere(file);
      throw error;
    });
    return undefined;
  }
  const backup = await backUp(file);
  await rename(draft, file);
  return backup;
}

/** With the permissions of what it replaces, by its descriptor: in a folder of several people's its name may lead elsewhere. */
async function writeDraft(path: string, text: string, replaced: Stats | undefined): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(text);
    if (replaced !== undefined) await handle.chmod(replaced.mode & 0o777);
  } finally {
    await handle.close();
  }
}

async function backUp(file: string): Promise<string> {
  for (let number = 0; ; number++) {
    const backup = `${file}.bak${number === 0 ? '' : number}`;
    try {
      await copyFile(file, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EEXIST') throw error;
    }
  }
}

export function alreadyThere(file: string): UserError {
  return new UserError(`${file} is there already: nothing was written`, {
    next: 'name another place with --config FILE, or replace it, keeping a copy, with --force',
  });
}

async function makeSecret(id: string, file: string): Promise<SavedSecret> {
  if (existsSync(file)) return { id, file, isOld: true };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Whoever puts the folder under version control should not publish it.
  const ignore = join(dirname(file), '.gitignore');
  if (!existsSync(ignore)) await writeFile(ignore, '*\n', { flag: 'wx' });
  await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  return { id, file, isOld: false };
}

async function takeBack(secrets: readonly SavedSecret[]): Promise<void> {
  for (const { file, isOld } of secrets) if (!isOld) await rm(file, { force: true });
}

function aboutFile(issue: Issue, draft: string, file: string): Issue {
  const { origin } = issue;
  return origin?.kind === 'file' && origin.file === draft ? { ...issue, origin: { ...origin, file } } : issue;
}
