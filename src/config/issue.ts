/** Where a value comes from. `file` is an absolute path. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

/** Something wrong, or doubtful, about the configuration. */
export interface Issue {
  readonly severity: 'error' | 'warning';
  /** Undefined where the trouble has no place, such as a missing file. */
  readonly origin: Origin | undefined;
  /** A sentence without its full stop, read after the origin. Never holds a secret. */
  readonly message: string;
  /** What to write or type instead. */
  readonly hint: string | undefined;
}

export function problem(origin: Origin | undefined, message: string, hint?: string): Issue {
  return { severity: 'error', origin, message, hint };
}

export function warning(origin: Origin | undefined, message: string, hint?: string): Issue {
  return { severity: 'warning', origin, message, hint };
}

/** `cortex.yaml:12`, `env NAME`, `flag --name` or `default`; files below `cwd` are named from there. */
export function showOrigin(origin: Origin, cwd: string): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${showFile(origin.file, cwd)}:${origin.line}`;
    case 'environment':
      return `env ${origin.name}`;
    case 'flag':
      return `flag --${origin.name}`;
  }
}

/** The path of a file as people read it: from `cwd` where it lies below; from the root it is the whole path. */
export function showFile(file: string, cwd: string): string {
  const folder = cwd.endsWith('/') ? cwd : `${cwd}/`;
  if (folder === '/') return file;
  return file.startsWith(folder) ? file.slice(folder.length) : file;
}

/** One line: `cortex.yaml:12: gateway.listn is not a setting. Did you mean "listen"?` */
export function showIssue(issue: Issue, cwd: string): string {
  const where =
    issue.origin === undefined || issue.origin.kind === 'default' ? '' : `${showOrigin(issue.origin, cwd)}: `;
  const hint = issue.hint === undefined ? '' : ` ${issue.hint}`;
  return printable(`${where}${issue.message}.${hint}`);
}

/**
 * Without control characters and marks that turn the direction of text: a file of somebody else must not drive the
 * reader's terminal, nor make a line read as another.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '?');
}

/** By place: files by line, then the environment, then flags, then the rest; otherwise as found. */
export function sortIssues(issues: readonly Issue[]): readonly Issue[] {
  const rank = { file: 0, environment: 1, flag: 2, default: 3 } as const;
  const line = (issue: Issue) => (issue.origin?.kind === 'file' ? issue.origin.line : 0);
  return issues.toSorted(
    (a, b) => rank[a.origin?.kind ?? 'default'] - rank[b.origin?.kind ?? 'default'] || line(a) - line(b),
  );
}
