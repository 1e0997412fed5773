import type { CommandSpec, OptionSpec } from './command.ts';

const backend: OptionSpec = { name: 'backend', value: 'id', summary: 'Only what this backend lists.' };
const kind: OptionSpec = {
  name: 'kind',
  value: 'kind',
  summary: 'Only of this kind.',
  choices: ['tool', 'prompt', 'resource', 'template'],
};
const name = {
  name: 'name',
  summary: 'A name or URI, as agents or as the backend know it.',
  isRequired: false,
};

/** The commands of the group `integrity`. */
export const integrityCommands: readonly CommandSpec[] = [
  {
    name: 'integrity list',
    summary: 'Show which definitions are not as they were accepted.',
    description:
      'Asks the running gateway of this machine, else compares the last lists that one has seen. Exit code 1: something waits for an operator, or the baseline cannot be believed.',
    args: [],
    options: [backend],
    examples: [
      { line: 'cortex integrity list', meaning: 'what waits, and since when' },
      { line: 'cortex integrity list --json', meaning: 'for scripts' },
    ],
    load: async () => (await import('./commands/integrity-list.ts')).integrityList,
  },
  {
    name: 'integrity diff',
    summary: 'Show what a backend changed, field by field; texts word by word.',
    description:
      'What draws nothing on a screen is spelled out (<U+200B>). Without a name it shows everything that waits. Exit code 1: there is a difference.',
    args: [name],
    options: [backend, kind],
    examples: [{ line: 'cortex integrity diff notes_list_notes', meaning: 'one tool' }],
    load: async () => (await import('./commands/integrity-diff.ts')).integrityDiff,
  },
  {
    name: 'integrity approve',
    summary: 'Accept what a backend lists now.',
    description:
      'From then on this is the accepted definition, and an open client hears that its list has changed. With --print only what was looked at is accepted, even if the backend has changed it once more since. Of something that is gone it forgets what was accepted. Where the operator signs (integrity.public_key) the gateway cannot approve: --draft writes the file to sign. A baseline that cannot be believed is begun anew by --all, with everything that is listed now.',
    args: [name],
    options: [
      { name: 'all', summary: 'Everything that waits.' },
      {
        name: 'print',
        value: 'fingerprint',
        summary: 'Only if this is its fingerprint, or the start of it.',
      },
      {
        name: 'draft',
        value: 'file',
        summary: 'Write the baseline as it would be, unsigned, and approve nothing.',
      },
      backend,
      kind,
    ],
    examples: [
      {
        line: 'cortex integrity approve notes_list_notes --print 3kTdVx0aQ1',
        meaning: 'what the diff has shown',
      },
      {
        line: 'cortex integrity approve --all --draft baseline.draft',
        meaning: 'to be signed on another machine',
      },
    ],
    load: async () => (await import('./commands/integrity-approve.ts')).integrityApprove,
  },
  {
    name: 'integrity keygen',
    summary: 'Make the key that an operator signs baselines with.',
    description:
      'Writes the private key into a new file (0600) and prints the public one, for integrity.public_key. Keep the file off the gateway’s machine.',
    args: [
      { name: 'file', summary: 'Where the private key goes; there must be nothing yet.', isRequired: true },
    ],
    options: [],
    examples: [{ line: 'cortex integrity keygen baseline.key', meaning: 'on the operator’s own machine' }],
    load: async () => (await import('./commands/integrity-keygen.ts')).integrityKeygen,
  },
  {
    name: 'integrity sign',
    summary: 'Sign a baseline.',
    description:
      'Needs no gateway and no configuration. Checks that each fingerprint is that of the text beside it, so that what was read is what is signed. Then put the file in the place of integrity.baseline, with a rename: the running gateway takes it up within seconds.',
    args: [{ name: 'draft', summary: 'The file that `approve --draft` wrote.', isRequired: true }],
    options: [
      { name: 'key', value: 'file', summary: 'The private key.' },
      { name: 'out', value: 'file', summary: 'Where the signed baseline goes.' },
    ],
    examples: [
      {
        line: 'cortex integrity sign baseline.draft --key baseline.key --out baseline.jsonl',
        meaning: 'off the host',
      },
    ],
    load: async () => (await import('./commands/integrity-sign.ts')).integritySign,
  },
];
