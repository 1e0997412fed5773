import type { CommandSpec } from './command.ts';

/** The commands of the group `keys`. */
export const keysCommands: readonly CommandSpec[] = [
  {
    name: 'keys list',
    summary: 'Show the gateway’s keys: ids, public halves, and where they are.',
    description:
      'Newest first; no secret is ever printed. Checkpoint keys are shown as an auditor takes them (`cortex audit verify --public-key`). Exit code 1: a key cannot be used.',
    args: [],
    options: [],
    examples: [
      { line: 'cortex keys list', meaning: 'with the configuration of `cortex serve`' },
      { line: 'cortex keys list --json', meaning: 'for scripts' },
    ],
    load: async () => (await import('./commands/keys-list.ts')).keysList,
  },
  {
    name: 'keys jwks',
    summary: 'Print the public keys of assertions, as backends verify with them.',
    description:
      'The document that the gateway serves at /.well-known/jwks.json, for applications that cannot fetch it.',
    args: [],
    options: [],
    examples: [{ line: 'cortex keys jwks > jwks.json', meaning: 'to hand to an application' }],
    load: async () => (await import('./commands/keys-jwks.ts')).keysJwks,
  },
  {
    name: 'keys generate',
    summary: 'Make keys that are not there yet.',
    description:
      'The gateway makes its keys at its first start; this makes them before, so that they can be backed up or shared among replicas. Files are 0600, in a folder 0700; nothing is replaced. A file that the configuration names is made only when its key is named here.',
    args: [{ name: 'key', summary: 'seal, audit, checkpoint, assertion or vault.', isRequired: false }],
    options: [
      { name: 'out', value: 'file', summary: 'One key into this new file, for a use that you decide.' },
    ],
    examples: [
      { line: 'cortex keys generate', meaning: 'all that `cortex serve` would make' },
      { line: 'cortex keys generate vault', meaning: 'into the file that keys.vault.file names' },
    ],
    load: async () => (await import('./commands/keys-generate.ts')).keysGenerate,
  },
  {
    name: 'keys rotate',
    summary: 'Put a new key above the older ones.',
    description:
      'What was made with the older ones stays good. The vault turns while the gateway serves, as `cortex vault rotate` does; the other keys are taken over at its next start. A file of your own is not changed. Exit code 1: nothing was changed.',
    args: [{ name: 'key', summary: 'seal, audit, checkpoint, assertion or vault.', isRequired: true }],
    options: [
      {
        name: 'forget-old',
        summary: 'Drop the older keys at once, as after a theft: legacy sessions begin again.',
      },
    ],
    examples: [
      { line: 'cortex keys rotate assertion', meaning: 'then restart; both keys are published' },
      { line: 'cortex keys rotate seal --forget-old', meaning: 'every legacy session begins again' },
    ],
    load: async () => (await import('./commands/keys-rotate.ts')).keysRotate,
  },
];
