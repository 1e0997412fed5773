import type { CommandSpec } from './command.ts';

/** The commands of the group `backend`, for owners of applications. */
export const backendCommands: readonly CommandSpec[] = [
  {
    name: 'backend init',
    summary: 'Begin a backend: a folder with one that runs.',
    description:
      'Copies a complete backend of about 150 lines into a new folder: it verifies tokens, has a tool that reads and tools that write with a check of the owner, a test, a page of explanation and a Dockerfile. Prints the three lines for cortex.yaml and how to start it. Without an issuer of your own it trusts issuers on this machine alone.',
    args: [{ name: 'dir', summary: 'A new folder, or an empty one.', isRequired: true }],
    options: [
      {
        name: 'template',
        value: 'name',
        summary: 'In which language; bun (TypeScript) by default.',
        choices: ['bun', 'node', 'python', 'go'],
      },
      { name: 'id', value: 'id', summary: 'What the gateway calls it; by default after the folder.' },
    ],
    examples: [
      { line: 'cortex backend init crm', meaning: 'TypeScript on Bun' },
      { line: 'cortex backend init crm --template python', meaning: 'Python, with PyJWT' },
    ],
    load: async () => (await import('./commands/backend-init.ts')).backendInit,
  },
  {
    name: 'backend check',
    summary: 'Try a backend against the whole contract.',
    description:
      'Sends a backend everything the contract names, and much that nobody should send: both kinds of token, users, forged and expired tokens, odd input, 100 calls at once. Without --token it makes the users’ tokens itself, with an issuer on this machine that the backend must trust. Tools are only run where they are marked readOnlyHint; the others must refuse. Ends with 1 when something failed.',
    args: [
      {
        name: 'url',
        summary: 'Where the backend listens, its path included if it has one.',
        isRequired: true,
      },
    ],
    options: [
      {
        name: 'technical-token',
        value: 'secret',
        summary:
          'What it was started with; CORTEX_TECHNICAL_TOKEN does the same, and stays out of the list of processes.',
      },
      { name: 'token', value: 'jwt', summary: 'A user’s token, in place of made ones.' },
      { name: 'token-other', value: 'jwt', summary: 'Another user’s token.' },
      {
        name: 'audience',
        value: 'url',
        summary: 'What made tokens are for. Default: http://127.0.0.1:3213/mcp.',
      },
      {
        name: 'issuer-port',
        value: 'port',
        summary: 'Where the issuer of made tokens listens; a free port by default.',
      },
      { name: 'timeout', value: 'ms', summary: 'How long an answer may take. Default: 10000.' },
      { name: 'junit', value: 'file', summary: 'Write a JUnit report, too.' },
    ],
    examples: [
      { line: 'cortex backend check http://127.0.0.1:4820', meaning: 'a backend on this machine' },
      {
        line: 'cortex backend check https://crm.internal/cortex --token "$TOKEN"',
        meaning: 'with a real user',
      },
    ],
    load: async () => (await import('./commands/backend-check.ts')).backendCheck,
  },
];
