import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { UserError } from '../errors.ts';

const maxBytes = 16 * 1024 * 1024;

/** A file of the person's own that another program reads, as it was when it was looked at. */
export interface OwnedFile {
  /** Where it really is: behind links. */
  readonly path: string;
  /** Undefined: there is none yet. */
  readonly text: string | undefined;
  /** What stood before the text, and stays there. */
  readonly mark: string;
  readonly mode: number;
}

/**
 * Looks at a file before it is changed. Refuses what is not a plain file of this user that may be written, and, with
 * `within`, what lies outside that folder behind a link: whoever made the folder may have made the link.
 */
export async function lookAtFile(path: string, within: string | undefined): Promise<OwnedFile> {
  const isThere = await lstat(path).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'ENOENT' && refuse(path, codeOf(error)),
  );
  const real = isThere
    ? await realpath(path).catch((error: unknown) =>
        refuse(path, `is a link that leads nowhere (${codeOf(error)})`),
      )
    : join(await existingFolder(dirname(path)), basename(path));
  if (within !== undefined && isOutside(await realpath(within), real))
    refuse(path, `leads out of this folder, to ${real}`);
  const mode = within === undefined ? 0o600 : 0o644;
  if (!isThere) return { path: real, text: undefined, mark: '', mode };

  const about = await stat(real);
  if (!about.isFile()) refuse(path, 'is no file');
  if (process.getuid !== undefined && about.uid !== process.getuid()) refuse(path, 'belongs to another user');
  if ((about.mode & constants.S_IWUSR) === 0) refuse(path, 'is read-only');
  if (about.size > maxBytes) refuse(path, 'is larger than a configuration');
  const { text, mark } = await readWhole(real);
  return { path: real, text, mark, mode: about.mode & 0o777 };
}

/**
 * Puts another text in its place, in one step, with the same permissions. Gives the path of the copy that was kept of
 * the old text; undefined where there was none. Refuses when somebody changed the file in the meantime.
 */
export async function replaceFile(file: OwnedFile, text: string, now: Date): Promise<string | undefined> {
  const folder = dirname(file.path);
  await mkdir(folder, { recursive: true, mode: file.mode === 0o600 ? 0o700 : 0o755 });
  const made = join(folder, `.${basename(file.path)}.${randomUUID()}`);
  try {
    await writeNew(made, file.mark + text, file.mode);
    if (file.text === undefined) {
      // Unlike a rename, a link replaces nothing that came to lie here in the meantime.
      await link(made, file.path);
      return undefined;
    }
    const present = await readWhole(file.path);
    if (present.text !== file.text) refuse(file.path, 'was changed by another program just now: try again');
    const kept = await keepCopy(file, now);
    await rename(made, file.path);
    return kept;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return refuse(file.path, codeOf(error));
  } finally {
    await rm(made, { force: true });
  }
}

async function keepCopy(file: OwnedFile, now: Date): Promise<string> {
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  for (let number = 1; ; number += 1) {
    const path = `${file.path}.before-cortex-${stamp}${number === 1 ? '' : `-${number}`}`;
    try {
      await writeNew(path, file.mark + (file.text ?? ''), file.mode);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    // Not by its name: in a folder of several people's that may be a link to another file by now.
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readWhole(path: string): Promise<{ readonly text: string; readonly mark: string }> {
  const bytes = await Bun.file(path).bytes();
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith('\ufeff') ? { text: text.slice(1), mark: '\ufeff' } : { text, mark: '' };
  } catch {
    return refuse(path, 'is not text in UTF-8');
  }
}

/** The nearest folder that is there, behind links, with what is still to be made below it. */
async function existingFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) return refuse(folder, codeOf(error));
    return join(await existingFolder(dirname(folder)), basename(folder));
  }
}

function isOutside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '..' || way.startsWith(`..${sep}`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function refuse(path: string, why: string): never {
  const isCode = /^E[A-Z]+$/.test(why);
  throw new UserError(`${path} ${isCode ? `cannot be used (${why})` : why}: nothing was written`, {
    next: 'put it right, or add the entry by hand: the same command without --write shows it',
  });
}
