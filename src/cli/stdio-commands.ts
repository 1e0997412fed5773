import type { CommandSpec } from './command.ts';

/** The command that clients start. */
export const stdioCommands: readonly CommandSpec[] = [
  {
    name: 'stdio',
    summary: 'Be an MCP server over stdin and stdout, in front of a gateway anywhere.',
    description:
      'For clients that know no HTTP or no OAuth: they start this command, and it speaks to the gateway for them, in either era of the protocol. The first time a browser opens to sign in (code, PKCE, a loopback redirect; it introduces itself, or takes --client-id). The sign-in is kept by the system (macOS’s keychain, Windows’ credential manager, libsecret), refreshed, and never in a file unless told. stdout holds the protocol and nothing else.',
    args: [
      {
        name: 'url',
        summary:
          'The URL that agents use, with its choices (?backends=, ?mode=); without it that of the configuration.',
        isRequired: false,
      },
    ],
    options: [
      { name: 'login', summary: 'Only sign in, and keep that.' },
      { name: 'logout', summary: 'Forget the sign-in.' },
      { name: 'no-browser', summary: 'Print the address to sign in at, open nothing.' },
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
      {
        name: 'token-file',
        value: 'file',
        summary: 'Keep the sign-in in this file (0600), not in the keychain.',
      },
      {
        name: 'token-env',
        value: 'name',
        summary: 'Take the token from this environment variable; sign nobody in.',
      },
      { name: 'allow-http', summary: 'Speak plain http to another machine.' },
    ],
    examples: [
      { line: 'cortex stdio https://mcp.example.com/mcp', meaning: 'as the command of a client' },
      { line: 'cortex stdio https://mcp.example.com/mcp --login', meaning: 'sign in before' },
      {
        line: 'cortex stdio "https://mcp.example.com/mcp?mode=search"',
        meaning: 'with a short list of tools',
      },
    ],
    load: async () => (await import('./commands/stdio.ts')).stdio,
  },
];
