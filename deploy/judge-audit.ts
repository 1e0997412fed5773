/** What a dependency audit came to; a registry that did not answer is said, and is no reason to fail. */
export interface AuditVerdict {
  readonly isClean: boolean;
  readonly text: string;
}

/** Reads what `bun audit --json` says: advisories by package, or nothing on stdout where the registry gave none. */
export function judgeAudit(stdout: string, stderr: string): AuditVerdict {
  const told = parse(stdout);
  if (told === undefined) {
    const why = stderr.trim().split('\n').at(-1) ?? '';
    return { isClean: true, text: `not audited: the registry could not be asked (${why || 'no answer'})` };
  }
  const lines = Object.entries(told).flatMap(([name, advisories]) =>
    (Array.isArray(advisories) ? advisories : [advisories]).map((advisory: unknown) => {
      const { severity = 'unknown', title = 'an advisory', url = '' } = texts(advisory);
      return `${name}: ${severity}: ${title} ${url}`.trim();
    }),
  );
  if (lines.length === 0) return { isClean: true, text: 'no advisory about what is shipped' };
  return { isClean: false, text: lines.join('\n') };
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function texts(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
