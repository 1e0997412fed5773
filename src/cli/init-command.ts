import type { CommandSpec } from './command.ts';

/** The command that writes a configuration. */
export const initCommands: readonly CommandSpec[] = [
  {
    name: 'init',
    summary: 'Write a cortex.yaml to begin with.',
    description:
      'Asks on a terminal for what no option says; elsewhere --url and --issuer are needed. Looks at the issuer as a client would, guesses its product, and proposes plans: of the scopes that your applications list (with --technical-token-env), else that the issuer has, else named after the applications. What it writes passes `cortex check`. A file that is there is not touched without --force, which keeps a copy. Secrets go into files of their own, 0600, and are never shown. Exit codes: 1 the issuer would stop a client, 3 it does not answer.',
    args: [],
    options: [
      {
        name: 'url',
        value: 'url',
        summary: 'The URL that agents will be given; /mcp is added where it has no path.',
      },
      { name: 'issuer', value: 'url', summary: 'Who signs people in.' },
      {
        name: 'preset',
        value: 'name',
        summary: 'Its product; without it the one it looks like.',
        choices: [
          'generic',
          'rfc9068',
          'keycloak',
          'auth0',
          'okta',
          'entra',
          'zitadel',
          'authentik',
          'hydra',
          'cognito',
        ],
      },
      {
        name: 'audience',
        value: 'text',
        summary: 'What tokens are for, where that is not the gateway’s URL.',
        isRepeatable: true,
      },
      { name: 'client', value: 'id', summary: 'A client whose tokens count; none: any.', isRepeatable: true },
      { name: 'backend', value: 'id=url', summary: 'An application of yours.', isRepeatable: true },
      { name: 'server', value: 'id=url', summary: 'A third party’s MCP server.', isRepeatable: true },
      {
        name: 'plan',
        value: 'name=scopes',
        summary: 'A plan and its scopes, with commas between.',
        isRepeatable: true,
      },
      {
        name: 'technical-token-env',
        value: 'name',
        summary:
          'The variable with the secret that the applications know already; without it each gets a new one.',
      },
      { name: 'listen', value: 'host:port', summary: 'Where the gateway listens.' },
      { name: 'name', value: 'text', summary: 'The name that clients show.' },
      { name: 'allow-http', summary: 'Take plain http outside this machine, too.' },
      { name: 'no-check', summary: 'Do not look at the issuer and the applications.' },
      { name: 'yes', short: 'y', summary: 'Ask nothing.' },
      { name: 'force', summary: 'Replace the file that is there, and keep a copy.' },
    ],
    examples: [
      { line: 'cortex init', meaning: 'asks, and writes ./cortex.yaml' },
      {
        line: 'cortex init --url https://mcp.example.com/mcp --issuer https://auth.example.com --backend notes=http://127.0.0.1:4820',
        meaning: 'asks nothing in a script',
      },
    ],
    load: async () => (await import('./commands/init.ts')).init,
  },
];
