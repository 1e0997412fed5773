import type { CommandSpec, OptionSpec } from '../command.ts';

/** What may stand after some words of a command line. */
export interface CompletionNode {
  /** The words before, `audit tail`; empty for none. */
  readonly path: string;
  /** The words that lead further down, each with its summary. */
  readonly children: ReadonlyMap<string, string>;
  readonly options: readonly OptionSpec[];
}

/** The command line as a shell completes it: the root, each group and each command. */
export function completionTree(
  commands: readonly CommandSpec[],
  groups: ReadonlyMap<string, string>,
  globals: readonly OptionSpec[],
): readonly CompletionNode[] {
  const first = new Map<string, string>();
  const ofGroup = new Map<string, Map<string, string>>();
  for (const { name, summary } of commands) {
    const [head = '', second] = name.split(' ');
    first.set(head, second === undefined ? summary : (groups.get(head) ?? summary));
    if (second === undefined) continue;
    const members = ofGroup.get(head) ?? new Map<string, string>();
    ofGroup.set(head, members.set(second, summary));
  }
  return [
    { path: '', children: first, options: globals },
    ...[...ofGroup].map(([path, children]) => ({ path, children, options: globals })),
    ...commands.map(({ name, options }) => ({
      path: name,
      children: new Map<string, string>(),
      options: [...options, ...globals],
    })),
  ];
}

/** Whether what follows the option is the path of a file or folder. */
export function takesFile({ value }: OptionSpec): boolean {
  return value === 'file' || value === 'dir';
}
