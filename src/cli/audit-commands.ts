import { filterOptions } from './audit-filter.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

const sources: readonly OptionSpec[] = [
  {
    name: 'dir',
    value: 'dir',
    summary: 'The folder of the audit; without it audit.dir of the configuration.',
  },
  {
    name: 'public-key',
    value: 'key',
    summary: 'A public key that checkpoints may be signed with; without it keys.checkpoint.',
    isRepeatable: true,
  },
];

/** The commands of the group `audit`. */
export const auditCommands: readonly CommandSpec[] = [
  {
    name: 'audit tail',
    summary: 'Show the last records, and follow.',
    description:
      'Reads the records of every process that writes here, by time, and checks the chain over what it reads; a place that does not hold is said, and makes the exit code 1. Without -n and --since it begins with the last 10. On a terminal it is a view with rates, slowest tools and refusals, which follows with -f or the key f; --plain prints lines there too.',
    args: [],
    options: [
      { name: 'follow', short: 'f', summary: 'Go on with what is written from now on, until stopped.' },
      { name: 'lines', short: 'n', value: 'count', summary: 'That many of the last records.' },
      { name: 'plain', summary: 'Lines, also on a terminal.' },
      ...filterOptions,
      ...sources,
    ],
    examples: [
      { line: 'cortex audit tail -f', meaning: 'what happens now' },
      { line: 'cortex audit tail --since 1h --outcome refused', meaning: 'who was refused in the last hour' },
      { line: 'cortex audit tail -n 100 --json', meaning: 'the records as they are, one a line' },
    ],
    load: async () => (await import('./commands/audit-tail.ts')).auditTail,
  },
  {
    name: 'audit verify',
    summary: 'Check that no record was changed, removed or put in.',
    description:
      'Checks every link and signature of every file. Exit codes: 0 intact; 1 broken, with the file and line; 4 the last records are not signed yet (a running gateway signs every minute, a killed one at its next start), or there are none. An end cut off at a checkpoint, or a whole chain gone, shows only against checkpoints kept elsewhere: --anchors. With those, 4 also means that records follow the last anchor.',
    args: [],
    options: [
      {
        name: 'anchors',
        value: 'file',
        summary: 'Checkpoints kept elsewhere, as audit.anchors sent them; take the file before the folder.',
        isRepeatable: true,
      },
      ...sources,
    ],
    examples: [
      { line: 'cortex audit verify', meaning: 'with the keys of this machine' },
      {
        line: 'cortex audit verify --dir ./copy --public-key <key>',
        meaning: 'as an auditor, without any secret',
      },
      { line: 'cortex audit verify --anchors anchors.jsonl', meaning: 'that nothing was cut off either' },
    ],
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
  },
  {
    name: 'audit stats',
    summary: 'Count calls, errors and times, per tool, backend and plan.',
    description:
      'Times are percentiles of calls that were not refused, within 1 %. List tokens: what one list of tools costs an agent, at four bytes a token. The chain is checked over what is read, as `audit tail` does.',
    args: [],
    options: [
      {
        name: 'by',
        value: 'what',
        summary: 'Only this table.',
        choices: ['tool', 'backend', 'plan'],
        isRepeatable: true,
      },
      ...filterOptions,
      ...sources,
    ],
    examples: [
      { line: 'cortex audit stats --since 7d', meaning: 'the last week' },
      { line: 'cortex audit stats --by plan --json', meaning: 'for scripts' },
    ],
    load: async () => (await import('./commands/audit-stats.ts')).auditStats,
  },
  {
    name: 'audit export',
    summary: 'Write records as JSON lines, OCSF or CEF, for a SIEM.',
    description:
      'One record a line on stdout, each chain in its order. `jsonl`: the records as they are. `ocsf`: API Activity of the Open Cybersecurity Schema Framework. `cef`: Common Event Format. `anchors`: the checkpoints, for --anchors of `audit verify`. The chain is checked over what is read.',
    args: [],
    options: [
      {
        name: 'format',
        value: 'form',
        summary: 'The form; without it jsonl.',
        choices: ['jsonl', 'ocsf', 'cef', 'anchors'],
      },
      { name: 'follow', short: 'f', summary: 'Go on with what is written from now on, until stopped.' },
      ...filterOptions,
      ...sources,
    ],
    examples: [
      { line: 'cortex audit export --format ocsf --since 1d', meaning: 'yesterday’s events' },
      { line: 'cortex audit export --format cef -f', meaning: 'for a forwarder that reads a pipe' },
    ],
    load: async () => (await import('./commands/audit-export.ts')).auditExport,
  },
  {
    name: 'audit reveal',
    summary: 'Name the person behind a pseudonym, for a reason.',
    description:
      'Asks the running gateway of this machine, else opens store and keys itself. Who asked, for whom and why is recorded before anybody is named. Exit code 1: nobody has this name, or the person was erased.',
    args: [
      {
        name: 'pseudonym',
        summary: 'The `user` of a record: 22 characters.',
        isRequired: true,
        shape: /^[\w-]{22}$/,
      },
    ],
    options: [{ name: 'reason', value: 'text', summary: 'Why; it is recorded.' }],
    examples: [
      { line: 'cortex audit reveal <pseudonym> --reason "incident 12"', meaning: 'who made these calls' },
    ],
    load: async () => (await import('./commands/audit-reveal.ts')).auditReveal,
  },
];
