import type { CommandSpec, OptionSpec } from './command.ts';

const issuer: OptionSpec = {
  name: 'issuer',
  value: 'url',
  summary: 'The issuer of the user, where the subject alone does not tell.',
};
const user: OptionSpec = {
  name: 'user',
  value: 'subject',
  summary: 'The user, as the issuer names it (`sub`).',
};
const json = 'for scripts';

/** The commands of the group `vault`. */
export const vaultCommands: readonly CommandSpec[] = [
  {
    name: 'vault link',
    summary: 'Link your own account at a server, from this machine.',
    description:
      'Signs you in at the gateway’s issuer, then leads you to the server, and waits until it is linked. Works with a gateway anywhere; nobody can link for somebody else. With --catalog, on the gateway’s own machine, it links the account that the server’s lists are read with; no call of a user is made with that one. Where there is no browser here, open the address elsewhere and paste the one it ends at.',
    args: [{ name: 'server', summary: 'The server’s id.', isRequired: true }],
    options: [
      {
        name: 'gateway',
        value: 'url',
        summary: 'The URL that your agents use; without it that of the configuration.',
      },
      { name: 'catalog', summary: 'Link the account for discovery alone.' },
      { name: 'no-browser', summary: 'Print addresses, open nothing.' },
      {
        name: 'client-id',
        value: 'id',
        summary: 'The client to sign in with, where the issuer lets none introduce itself.',
      },
      {
        name: 'scope',
        value: 'scope',
        summary: 'A scope to ask for; without it what the gateway asks of agents.',
        isRepeatable: true,
      },
    ],
    examples: [
      { line: 'cortex vault link linear', meaning: 'with the gateway of ./cortex.yaml' },
      {
        line: 'cortex vault link linear --gateway https://mcp.example.com/mcp',
        meaning: 'with one far away',
      },
    ],
    load: async () => (await import('./commands/vault-link.ts')).vaultLink,
  },
  {
    name: 'vault list',
    summary: 'Show who has linked what, without any secret.',
    description:
      'Asks the running gateway of this machine, else opens the vault itself. Times are those of this machine.',
    args: [],
    options: [user, issuer],
    examples: [
      { line: 'cortex vault list', meaning: 'everybody' },
      { line: 'cortex vault list --user ada --json', meaning: json },
    ],
    load: async () => (await import('./commands/vault-list.ts')).vaultList,
  },
  {
    name: 'vault unlink',
    summary: 'Unlink an account: revoke it at the provider, then delete it.',
    description:
      'Without --user it takes the only user who has linked that server. Where the provider cannot be asked to revoke, or refuses, the grant is deleted all the same, and that is said. Exit code 1: there is nothing to unlink.',
    args: [{ name: 'server', summary: 'The server’s id.', isRequired: true }],
    options: [user, issuer],
    examples: [{ line: 'cortex vault unlink linear --user ada', meaning: 'ada’s account at linear' }],
    load: async () => (await import('./commands/vault-unlink.ts')).vaultUnlink,
  },
  {
    name: 'vault rotate',
    summary: 'Turn the keys of the vault, while it serves.',
    description:
      'Seals every key of the vault with the newest key of the ring; no grant is touched and no call waits. Where the gateway made the key itself, it makes the next one too; where the key is yours (CORTEX_VAULT_KEY, a named file, a credential), put the new key first in the list before, and drop the old one after. Until the old key is gone, backups from before the rotation can be read with it.',
    args: [],
    options: [
      {
        name: 'forget-old',
        summary: 'Then drop the older keys for good: no backup from before opens any more.',
      },
    ],
    examples: [
      { line: 'cortex vault rotate', meaning: 'older keys still open what they sealed' },
      { line: 'cortex vault rotate --forget-old', meaning: 'after this only the new key opens anything' },
    ],
    load: async () => (await import('./commands/vault-rotate.ts')).vaultRotate,
  },
  {
    name: 'vault status',
    summary: 'Show where the vault’s keys are, and what needs which.',
    description:
      'Counts users and grants, and for each key what only it opens. Exit code 1: something was sealed with a key that the ring does not hold.',
    args: [],
    options: [],
    examples: [{ line: 'cortex vault status --json', meaning: json }],
    load: async () => (await import('./commands/vault-status.ts')).vaultStatus,
  },
  {
    name: 'vault erase',
    summary:
      'Erase a user: revoke every grant, then delete them, the user’s key and the audit’s name for them.',
    description:
      'After this nothing in the vault leads to the user, and nothing links the audit’s records to them. Backups are not touched: see `cortex vault rotate --forget-old`.',
    args: [{ name: 'user', summary: 'The user, as the issuer names it (`sub`).', isRequired: true }],
    options: [issuer],
    examples: [
      { line: 'cortex vault erase ada', meaning: 'the only user of that name' },
      { line: 'cortex vault erase ada --issuer https://auth.example.com', meaning: 'one of several' },
    ],
    load: async () => (await import('./commands/vault-erase.ts')).vaultErase,
  },
];
