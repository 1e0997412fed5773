/** A command line with what it must print; one text file, test/golden/README.md says how it is written. */
export interface GoldenCase {
  /** Below `cases`, without its ending. */
  readonly name: string;
  readonly title: string;
  /** Everything that is not what was printed. */
  readonly head: string;
  /** Without `cortex`. */
  readonly line: string;
  readonly world: string;
  /** A folder below `folders` that is copied to where the command runs. */
  readonly folder: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Command lines to run before, without `cortex`; what they print is not kept. */
  readonly first: readonly string[];
  readonly stdin: readonly string[] | undefined;
  readonly columns: number | undefined;
  readonly isTerminal: boolean;
  /** Columns move with what is volatile in them: runs of spaces are kept as two. */
  readonly isLoose: boolean;
  /** A command that goes on: it is ended by SIGTERM once it has written this. */
  readonly until: string | undefined;
  readonly masks: readonly (readonly [pattern: RegExp, name: string])[];
  readonly exitCode: number | undefined;
}

const keys = ['world', 'folder', 'env', 'first', 'stdin', 'columns', 'terminal', 'loose', 'until', 'mask'];

export function parseCase(name: string, text: string): GoldenCase {
  const at = text.indexOf('\n$ cortex');
  if (at < 0) throw new Error(`${name} has no line that begins with "$ cortex"`);
  const [command = '', exit = ''] = text.slice(at + 1).split('\n');
  const [title = '', ...settings] = text.slice(0, at).trimEnd().split('\n');
  const all = (key: string) =>
    settings.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
  for (const line of settings) {
    if (!keys.some((key) => line.startsWith(`${key}: `))) throw new Error(`${name}: what is "${line}"?`);
  }
  const columns = all('columns').at(0);
  const stdin = all('stdin');
  return {
    name,
    title,
    head: `${text.slice(0, at).trimEnd()}\n\n${command}\n`,
    line: command.slice('$ cortex'.length).trim(),
    world: all('world').at(0) ?? 'nothing',
    folder: all('folder').at(0),
    environment: Object.fromEntries(all('env').map(assignment)),
    first: all('first'),
    stdin: stdin.length === 0 ? undefined : stdin,
    columns: columns === undefined ? undefined : Number(columns),
    isTerminal: all('terminal').length > 0,
    isLoose: all('loose').length > 0,
    until: all('until').at(0),
    masks: all('mask').map(mask),
    exitCode: /^exit \d+$/.test(exit) ? Number(exit.slice(5)) : undefined,
  };
}

/** Words as a shell would make them: blanks part them, double quotes hold them together. */
export function words(line: string): readonly string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
}

function assignment(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `/pattern/ name` */
function mask(text: string): readonly [RegExp, string] {
  const end = text.lastIndexOf('/');
  return [new RegExp(text.slice(1, end), 'gm'), text.slice(end + 1).trim()];
}
