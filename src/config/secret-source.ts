import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Environment } from './environment-source.ts';
import { type Issue, problem } from './issue.ts';
import { type Setting, type Settings, showPath } from './settings.ts';

const maxSecretFileBytes = 64 * 1024;

interface ResolvedSecrets {
  readonly issues: readonly Issue[];
  /** Absolute paths of the files read, or missing: a change of one is a change of the configuration. */
  readonly files: readonly string[];
}

/**
 * Replaces `file:PATH` and, in values that stand in the config file, `${NAME}` by what they name: in secrets
 * alone. With `isAllowed` false nothing is read, and every secret, wherever it comes from, is withheld: a config
 * file that merely lies in the current folder must not send the user's secrets to a place of its choice.
 */
export async function resolveSecrets(
  settings: Settings,
  environment: Environment,
  isAllowed: boolean,
): Promise<ResolvedSecrets> {
  const issues: Issue[] = [];
  const files: string[] = [];
  for (const setting of [...settings.all()]) {
    if (typeof setting.raw !== 'string') continue;
    if (!setting.option.kind.isSecret) {
      if (setting.raw.includes('${') && setting.origin.kind === 'file') issues.push(notExpandedHere(setting));
      continue;
    }
    const file = secretFile(setting);
    if (file !== undefined && isAllowed) files.push(file);
    const resolved = await resolveSecret(setting, file, environment, isAllowed);
    if (!resolved.ok) issues.push(problem(setting.origin, `${showPath(setting.path)}: ${resolved.error}`));
    const isWithheld = !isAllowed || !resolved.ok;
    settings.set({ ...setting, raw: isWithheld ? '' : resolved.value, isWithheld });
  }
  return { issues, files };
}

/** Whether a variable is set is told even where its value is withheld; whether a file exists is not. */
async function resolveSecret(
  setting: Setting,
  file: string | undefined,
  environment: Environment,
  isAllowed: boolean,
): Promise<Result<string, string>> {
  if (file === undefined) return expand(setting, environment);
  return isAllowed ? readSecret(file) : ok('');
}

function secretFile(setting: Setting): string | undefined {
  if (typeof setting.raw !== 'string' || !setting.raw.startsWith('file:')) return undefined;
  return resolve(setting.base, setting.raw.slice('file:'.length));
}

async function readSecret(file: string): Promise<Result<string, string>> {
  try {
    const bytes = await readFile(file);
    if (bytes.byteLength > maxSecretFileBytes) return err(`${file} is too large to be a secret`);
    return ok(bytes.toString('utf8').trim());
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return err(`${file} cannot be read (${code})`);
  }
}

/** `$${` stands for a `${` that is meant. */
function expand(setting: Setting, environment: Environment): Result<string, string> {
  const written = typeof setting.raw === 'string' ? setting.raw : '';
  if (setting.origin.kind !== 'file') return ok(written);
  const missing: string[] = [];
  const text = written.replace(/\$(\$\{|\{([^}]*)\})/g, (_match, inner: string, name: string | undefined) => {
    if (name === undefined) return inner;
    const value = environment[name];
    if (value === undefined || value === '') missing.push(name);
    return value ?? '';
  });
  return missing.length === 0 ? ok(text) : err(`the environment variable ${missing.join(', ')} is not set`);
}

function notExpandedHere(setting: Setting): Issue {
  const path = showPath(setting.path);
  return problem(
    setting.origin,
    `${path}: \${NAME} is replaced in secrets alone`,
    'Set it by its own variable instead.',
  );
}
