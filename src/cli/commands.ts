import { flagDescriptions } from '#config/flag-descriptions.ts';
import { auditCommands } from './audit-commands.ts';
import { backendCommands } from './backend-commands.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import { connectCommand } from './connect-command.ts';
import { explainCommands } from './explain-command.ts';
import { initCommands } from './init-command.ts';
import { integrityCommands } from './integrity-commands.ts';
import { keysCommands } from './keys-commands.ts';
import { stdioCommands } from './stdio-commands.ts';
import { vaultCommands } from './vault-commands.ts';

/** Options of every command. */
export const globalOptions: readonly OptionSpec[] = [
  {
    name: 'config',
    value: 'file',
    summary: 'The config file; without it ./cortex.yaml, the user’s, /etc/cortex/cortex.yaml.',
  },
  { name: 'state', value: 'dir', summary: flagDescriptions.stateDir },
  { name: 'json', summary: 'Answer in JSON.' },
  { name: 'no-color', summary: 'No colours; NO_COLOR does the same.' },
  { name: 'quiet', short: 'q', summary: 'Say nothing beside the answer.' },
  { name: 'verbose', summary: 'Show the details of a fault; CORTEX_DEBUG does the same.' },
];

/** What the first word of a two-word command stands for. */
export const commandGroups: ReadonlyMap<string, string> = new Map([
  ['audit', 'Read the audit, and prove that it is whole.'],
  ['config', 'What the config file may hold.'],
  ['backend', 'Begin a backend of your own, and try it against the contract.'],
  ['integrity', 'Definitions that backends changed: look at them, accept them, sign them.'],
  ['keys', 'The gateway’s own keys: look at them, make them, rotate them.'],
  ['vault', 'Users’ accounts at servers: who linked what, and the keys over it.'],
]);

/** Every command there is, in the order of the help. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'serve',
    summary: 'Run the gateway.',
    description:
      'Runs until SIGTERM: then it finishes what is in flight, ends streams and flushes the audit. SIGHUP or a changed file reloads the configuration; one with problems is refused and the old one stays. Other commands on this machine reach it through <state>/control.sock.',
    args: [],
    options: [
      { name: 'listen', value: 'host:port', summary: flagDescriptions.listen },
      {
        name: 'dev',
        summary: 'Development on this machine: an issuer of its own, and a token with every scope on stdout.',
      },
      { name: 'check', summary: 'Validate the configuration and stop; the same as `cortex check`.' },
    ],
    examples: [
      { line: 'cortex serve', meaning: 'with ./cortex.yaml, or the environment alone' },
      {
        line: 'cortex serve --config /etc/cortex/cortex.yaml --listen 127.0.0.1:3213',
        meaning: 'in production',
      },
    ],
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'demo',
    summary: 'See everything at work on this machine: sign-in, two applications, gateway.',
    description:
      'Starts the gateway, an authorization server with sign-up by magic link, and two applications (notes, billing), and prints how to connect. Nothing else has to be installed. With --once it takes the whole tour by itself on free ports, prints each step with its outcome, and keeps nothing. With --url it is hosted in public: links go out by mail, and everything is forgotten each night at 04:00 UTC.',
    args: [],
    options: [
      { name: 'once', summary: 'Take the tour, print each step, exit 0 or 1.' },
      { name: 'ephemeral', summary: 'Keep nothing.' },
      {
        name: 'listen',
        value: 'host:port',
        summary:
          'Where the gateway listens; the authorization server takes the port 7 above. Default: 127.0.0.1:3213.',
      },
      { name: 'url', value: 'origin', summary: 'Host it in public under this https origin.' },
      {
        name: 'smtp',
        value: 'url',
        summary: 'Mail server for the sign-in links of a public demo; CORTEX_DEMO_SMTP does the same.',
      },
    ],
    examples: [
      { line: 'cortex demo', meaning: 'then connect a client to the URL it prints' },
      { line: 'cortex demo --once', meaning: 'the tour; exit code 0 when all is as promised' },
    ],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  ...initCommands,
  {
    name: 'check',
    summary: 'Validate the configuration, and show where each value comes from.',
    description:
      'Finds all problems of the config file, the environment and the flags at once. Reaches out to nothing. A file that was merely found in the current folder keeps its secrets unread: name it with --config to check them too.',
    args: [],
    options: [{ name: 'listen', value: 'host:port', summary: flagDescriptions.listen }],
    examples: [
      { line: 'cortex check', meaning: 'the file that `cortex serve` would use' },
      { line: 'cortex check --config cortex.yaml', meaning: 'this file, secrets included' },
      { line: 'cortex check --json', meaning: 'for scripts; exit code 2 means there are problems' },
    ],
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'doctor',
    summary: 'Find what would stop a client, step by step.',
    description:
      'Does what a client does and stops at the first step that would fail one, with the fix, down to the lines of the proxy’s configuration. With a URL it begins there: name, certificate, challenge, preflight, metadata, issuer; with a token it goes on through sessions, list, a call and streams. Without a URL, or with --config, it judges by the configuration, and asks each application. A token is explained claim by claim. Exit code 1: a step failed; 3: no answer.',
    args: [{ name: 'url', summary: 'The URL that agents use.', isRequired: false }],
    options: [
      {
        name: 'token',
        value: 'token',
        summary:
          'An access token to explain and to go on with; - reads it from stdin, where nobody else sees it.',
      },
      {
        name: 'sign-in',
        summary: 'Get a token as a client does: register, and sign in with the browser.',
      },
      { name: 'client-id', value: 'id', summary: 'Sign in as this client, where none may register.' },
      { name: 'scope', value: 'scope', summary: 'Sign in for these scopes.', isRepeatable: true },
      { name: 'no-browser', summary: 'Print the address of the sign-in, and open nothing.' },
      {
        name: 'origin',
        value: 'origin',
        summary: 'The page that connects from a browser, or none. Default: https://claude.ai.',
      },
      {
        name: 'listen-for',
        value: 'seconds',
        summary: 'How long a quiet stream must stay open. Default: 15.',
      },
    ],
    examples: [
      { line: 'cortex doctor', meaning: 'the issuers and applications of ./cortex.yaml' },
      { line: 'cortex doctor https://mcp.example.com/mcp', meaning: 'what a client finds at a gateway' },
      {
        line: 'cortex doctor https://mcp.example.com/mcp --sign-in',
        meaning: 'all the way: sign-in, list, call, streams',
      },
      { line: 'cortex doctor --token - < token.txt', meaning: 'why a token is refused, or what it is worth' },
      {
        line: 'cortex doctor https://mcp.example.com/mcp --token - --listen-for 120 < token.txt',
        meaning: 'whether something cuts streams after a minute or two',
      },
    ],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'catalog',
    summary: 'Show what a set of scopes sees.',
    description:
      'Asks the running gateway of this machine, else the backends themselves. Without --scope and --plan it shows everything there is: on a terminal to look around in, else as a table. --why ends with 1 when the tool is hidden.',
    args: [],
    options: [
      { name: 'scope', value: 'scope', summary: 'A scope held, or a plan’s name.', isRepeatable: true },
      { name: 'plan', value: 'plan', summary: 'The scopes of a plan.' },
      {
        name: 'token',
        value: 'token',
        summary:
          'What the holder of this access token sees, their own lists included; - reads it from stdin.',
      },
      { name: 'backend', value: 'id', summary: 'Only what these backends offer.', isRepeatable: true },
      { name: 'search', value: 'text', summary: 'Rank the tools as find_tools does.' },
      { name: 'mode', value: 'mode', summary: 'The form of the list.', choices: ['full', 'search'] },
      {
        name: 'diff',
        value: 'two...',
        summary: 'What the first plan or scope sees and the second does not, and the other way round.',
      },
      { name: 'why', value: 'tool', summary: 'Each gate before a tool, and the one that hides it.' },
      { name: 'cost', summary: 'Bytes and estimated tokens of the list, in both modes.' },
      { name: 'plain', summary: 'A table, also on a terminal.' },
    ],
    examples: [
      { line: 'cortex catalog --scope pro', meaning: 'what a caller with the plan pro sees' },
      { line: 'cortex catalog --diff free pro', meaning: 'what pro adds' },
      { line: 'cortex catalog --plan free --why billing_refund', meaning: 'which gate hides the tool' },
      {
        line: 'cortex catalog --config cortex.yaml --token - --why linear_find < token.txt',
        meaning: 'from whom exactly, and why',
      },
    ],
    load: async () => (await import('./commands/catalog.ts')).catalog,
  },
  connectCommand,
  ...explainCommands,
  ...backendCommands,
  ...auditCommands,
  ...integrityCommands,
  ...vaultCommands,
  ...keysCommands,
  ...stdioCommands,
  {
    name: 'revoke',
    summary: 'Refuse tokens that are still good: of a user, a session, a client, a grant, an issuer.',
    description:
      'Holds within a second, also for tokens that are in use: streams are closed, calls are ended, accounts at servers are not used. Prints how many replicas confirmed, and in how long. Means tokens that were issued until now (or until --before), so that a new sign-in works; a token named by its id stays refused. Where no gateway runs, it is kept for the next start. Exit code 1: it was not confirmed.',
    args: [],
    options: [
      { name: 'user', value: 'subject', summary: 'Every token of this user (`sub`).' },
      { name: 'session', value: 'id', summary: 'Every token of this sign-in (`sid`).' },
      { name: 'client', value: 'id', summary: 'Every token that was given to this client.' },
      { name: 'grant', value: 'id', summary: 'Every token of this consent, where the issuer names it.' },
      { name: 'token-id', value: 'id', summary: 'One token, by its id (`jti`).' },
      {
        name: 'issuer',
        value: 'url',
        summary: 'Whose tokens; needed where several are configured. Alone: every token of that issuer.',
      },
      {
        name: 'before',
        value: 'time',
        summary: 'Those issued until then: seconds since 1970, or a date in ISO 8601.',
      },
    ],
    examples: [
      { line: 'cortex revoke --user ada', meaning: 'whatever ada is signed in with' },
      {
        line: 'cortex revoke --issuer https://auth.example.com',
        meaning: 'everybody of that issuer has to sign in again',
      },
    ],
    load: async () => (await import('./commands/revoke.ts')).revoke,
  },
  {
    name: 'status',
    summary: 'Show how the running gateway is.',
    description:
      'Asks the gateway of this machine through its control socket: whether it is ready, whether the audit can be written, and how each backend is. Exit codes: 0 ready, 1 it runs and is not, 3 none runs; good as a health check.',
    args: [],
    options: [],
    examples: [{ line: 'cortex status --json', meaning: 'for scripts' }],
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'config schema',
    summary: 'Print the JSON Schema of the config file.',
    description:
      'For editors that check and complete YAML while it is written: keep it beside the file, and begin the file with `# yaml-language-server: $schema=cortex.schema.json`.',
    args: [],
    options: [],
    examples: [{ line: 'cortex config schema > cortex.schema.json', meaning: 'beside cortex.yaml' }],
    load: async () => (await import('./commands/config-schema.ts')).configSchema,
  },
  {
    name: 'completion',
    summary: 'Print the script with which a shell completes this command.',
    description: 'Knows every command, option and choice, and files where an option takes one.',
    args: [{ name: 'shell', summary: 'bash, zsh or fish.', isRequired: true }],
    options: [],
    examples: [
      { line: 'cortex completion bash > ~/.cortex.bash', meaning: 'then source it in ~/.bashrc; zsh alike' },
      { line: 'cortex completion fish | source', meaning: 'in config.fish' },
    ],
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'Print version, commit and protocol revisions.',
    description: 'Prints what this command is and which revisions of the Model Context Protocol it speaks.',
    args: [],
    options: [],
    examples: [{ line: 'cortex version --json', meaning: 'for scripts' }],
    load: async () => (await import('./commands/version.ts')).version,
  },
];
