import { posix } from 'node:path';
import { importedModules, lineAt, maskSource } from './typescript-source.ts';

/** A folder imports only folders with a lower number. */
const floors: ReadonlyMap<string, number> = new Map([
  ['kernel', 0],
  ...floor(1, 'clients', 'contract', 'wire', 'keys', 'cluster', 'outbound', 'store', 'observability', 'look'),
  ...floor(2, 'config', 'auth', 'backends', 'vault', 'audit', 'demo'),
  ...floor(3, 'catalog', 'identity', 'adapter', 'tickets'),
  ...floor(4, 'integrity'),
  ...floor(5, 'mcp'),
  ...floor(6, 'server', 'gateway-options.ts'),
  ...floor(7, 'wiring'),
  ...floor(8, 'gateway.ts'),
  ...floor(9, 'cli'),
]);

/** Package -> the folders that may import it; a name that ends in `/` stands for its whole scope. */
const homes: ReadonlyMap<string, readonly string[]> = new Map([
  ['jose', ['auth', 'identity', 'keys', 'demo']],
  ['oauth4webapi', ['auth', 'identity', 'vault']],
  ['@modelcontextprotocol/', ['adapter', 'demo', 'wire']],
  ['nodemailer', ['demo']],
  ['minisearch', ['catalog']],
  // In the commands it edits other programs’ files, and must know where each word stands.
  ['yaml', ['config', 'cli']],
  ['jsonc-parser', ['cli']],
  ['smol-toml', ['cli']],
  ['conf', ['config']],
  ['undici-http', ['outbound']],
  ['commander', ['cli']],
  ['@clack/', ['cli']],
  ['ink', ['cli']],
  ['react', ['cli']],
  ['bun:sqlite', ['store', 'demo']],
  ['node:child_process', ['adapter', 'cli']],
  ['node:http', ['outbound']],
  ['node:https', ['outbound']],
  ['node:http2', []],
  ['node:sqlite', []],
  ['bun:ffi', []],
  ['undici', []],
]);

/** Globals that stand for a package: where they may be named. */
const globals: readonly {
  readonly pattern: RegExp;
  readonly name: string;
  readonly homes: readonly string[];
}[] = [
  { pattern: /\bBun\s*\.\s*(?:SQL|sql)\b/g, name: 'Bun.SQL', homes: ['store'] },
  { pattern: /\bBun\s*\.\s*(?:redis|RedisClient)\b/g, name: 'Bun.redis', homes: ['cluster'] },
  { pattern: /\bBun\s*\.\s*connect\b/g, name: 'Bun.connect', homes: ['outbound'] },
  { pattern: /\bBun\s*\.\s*spawn(?:Sync)?\b/g, name: 'Bun.spawn', homes: ['adapter', 'cli'] },
  {
    pattern: /\b(?:await|return|=>)\s+fetch\s*\(|\bglobalThis\s*\.\s*fetch\b/g,
    name: 'fetch',
    homes: ['outbound', 'demo', 'cli'],
  },
];

export type Rule =
  | 'no-files'
  | 'floor'
  | 'unknown-folder'
  | 'leaves-folder'
  | 'package-home'
  | 'default-export'
  | 'barrel'
  | 'cast'
  | 'console'
  | 'environment'
  | 'file-name'
  | 'wire-code'
  | 'unfinished';

export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Judges a tree of sources (path such as `src/kernel/result.ts` -> text). A tree without files is itself a violation. */
export function architectureViolations(files: ReadonlyMap<string, string>): readonly Violation[] {
  const sources = [...files].filter(([path]) => /^src\/.*\.tsx?$/.test(path));
  if (sources.length === 0)
    return [{ rule: 'no-files', file: 'src', line: 0, message: 'no source file was seen' }];
  return sources.flatMap(([path, text]) => [...fileViolations(path, text)]);
}

function* fileViolations(path: string, text: string): Generator<Violation> {
  const folder = folderOf(path);
  const masked = maskSource(text);
  const at = (rule: Rule, position: number, message: string): Violation => ({
    rule,
    file: path,
    line: lineAt(text, position),
    message,
  });
  if (!floors.has(folder)) yield at('unknown-folder', 0, `${folder} has no floor`);
  if (/(?:^|\/)(?:utils?|helpers?|common|lib|misc)(?:\/|\.tsx?$)/.test(path))
    yield at('file-name', 0, 'name it after its main export');
  yield* importViolations(path, folder, text, masked);

  for (const match of masked.matchAll(/\bexport\s+default\b|\bas\s+default\b/g)) {
    yield at('default-export', match.index, 'exports by name only');
  }
  if (/(?:^|\/)index\.tsx?$/.test(path)) yield at('barrel', 0, 'no index files');
  for (const match of masked.matchAll(/\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\b)/g)) {
    yield at('barrel', match.index, 'import the defining file');
  }
  for (const match of withoutImportClauses(masked).matchAll(
    /(?<=[\w$)\]}'"`>]\s+)as\s+(?!const\b)(?=[\w$({['"`])/g,
  )) {
    yield at('cast', match.index, 'parse instead of casting');
  }
  if (folder !== 'cli') {
    for (const match of masked.matchAll(/\bconsole\s*[.[]/g))
      yield at('console', match.index, 'no console outside cli');
  }
  if (folder !== 'cli' && folder !== 'config') {
    for (const match of masked.matchAll(/\b(?:process|Bun|import\.meta)\s*\.\s*env\b/g)) {
      yield at('environment', match.index, 'settings arrive as arguments');
    }
  }
  if (path !== 'src/wire/rpc-errors.ts') {
    for (const match of masked.matchAll(/-\s?32[0-9]{3}\b/g)) {
      yield at('wire-code', match.index, 'error codes are written down in wire/rpc-errors.ts');
    }
  }
  for (const match of text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b/g)) {
    yield at('unfinished', match.index, `${match[0]} in a shipped file`);
  }
}

function* importViolations(path: string, folder: string, text: string, masked: string): Generator<Violation> {
  const own = floors.get(folder) ?? 0;
  const forbidden = (rule: Rule, line: number, message: string): Violation => ({
    rule,
    file: path,
    line,
    message,
  });
  for (const { specifier, line } of importedModules(text, masked)) {
    const target = targetFolder(path, specifier);
    if (target === 'outside') {
      yield forbidden('leaves-folder', line, `${specifier} is not under src`);
    } else if (target === undefined) {
      const home = homeOf(specifier);
      if (home === undefined) yield forbidden('package-home', line, `${specifier} has no home in the table`);
      else if (home !== 'anywhere' && !home.includes(folder)) {
        yield forbidden('package-home', line, `${specifier} belongs in ${home.join(', ') || 'no folder'}`);
      }
    } else if (target !== folder) {
      if (specifier.startsWith('.'))
        yield forbidden('leaves-folder', line, `${specifier}: write #folder/file.ts`);
      const other = floors.get(target);
      if (other === undefined || other >= own)
        yield forbidden('floor', line, `${folder} may not import ${target}`);
      else if (target === 'demo' && folder !== 'cli')
        yield forbidden('floor', line, 'demo is imported by cli only');
    }
  }
  for (const { pattern, name, homes: allowed } of globals) {
    if (allowed.includes(folder)) continue;
    for (const match of masked.matchAll(pattern)) {
      yield forbidden('package-home', lineAt(text, match.index), `${name} belongs in ${allowed.join(', ')}`);
    }
  }
}

/** The folder an import leads to; `outside` of src; undefined for a package. */
function targetFolder(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return folderOf(`src/${specifier.slice(1)}`);
  if (!specifier.startsWith('.')) return undefined;
  const resolved = posix.join(posix.dirname(path), specifier);
  if (resolved === 'package.json') return folderOf(path);
  return resolved.startsWith('src/') ? folderOf(resolved) : 'outside';
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function homeOf(specifier: string): readonly string[] | 'anywhere' | undefined {
  for (const [name, folders] of homes) {
    if (specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`)) return folders;
  }
  return /^(?:node:|bun$|bun:)/.test(specifier) ? 'anywhere' : undefined;
}

/** Blanks `import ... from` and `export { ... }` clauses, where `as` renames and casts nothing. */
function withoutImportClauses(masked: string): string {
  return masked.replaceAll(
    /\bimport\b[^;'"`()]*?\bfrom\b|\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*\s*as\s+\w+)/g,
    (clause) => clause.replaceAll(/[^\n]/g, ' '),
  );
}

function floor(number: number, ...folders: readonly string[]): readonly (readonly [string, number])[] {
  return folders.map((folder) => [folder, number] as const);
}
