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
      'Reads the records of every process that writes here, by time, and checks the chain over what it reads; a place that does not hold is said, and makes the exit code 1. Without -n and --since it begins with the last 10.',
    args: [],
    options: [
      { name: 'follow', short: 'f', summary: 'Go on with what is written from now on, until stopped.' },
      { name: 'lines', short: 'n', value: 'count', summary: 'That many of the last records.' },
      { name: 'since', value: 'time', summary: 'From then on: 90s, 15m, 12h, 7d ago, or 2026-03-04T10:00Z.' },
      { name: 'user', value: 'pseudonym', summary: 'Only this user’s, as the records name it.' },
      { name: 'tool', value: 'name', summary: 'Only calls of this tool.' },
      { name: 'backend', value: 'id', summary: 'Only calls this backend answered.' },
      {
        name: 'outcome',
        value: 'outcome',
        summary: 'Only calls that ended so.',
        choices: ['ok', 'error', 'refused', 'cancelled', 'input_required'],
      },
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
      'Checks every link and signature of every file. Exit codes: 0 intact; 1 broken, with the file and line; 4 the last records are not signed yet (a running gateway signs every minute, a killed one at its next start), or there are none. An end cut off at a checkpoint shows only against a later checkpoint kept elsewhere.',
    args: [],
    options: sources,
    examples: [
      { line: 'cortex audit verify', meaning: 'with the keys of this machine' },
      {
        line: 'cortex audit verify --dir ./copy --public-key <key>',
        meaning: 'as an auditor, without any secret',
      },
    ],
    load: async () => (await import('./commands/audit-verify.ts')).auditVerify,
  },
];
