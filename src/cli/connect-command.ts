import type { CommandSpec } from './command.ts';

/** The command for people who use a gateway. */
export const connectCommand: CommandSpec = {
  name: 'connect',
  summary: 'Connect a client: show how, or write its file.',
  description:
    'Without a client it lists all of them, and which are on this machine. With one it prints what to type, or what to put into which file. --write puts it there: everything else in the file stays, comments included, and the file as it was is kept beside it. The address is that of the configuration, else of the demo on this machine.',
  args: [{ name: 'client', summary: 'Such as claude-code, vscode, cursor or codex.', isRequired: false }],
  options: [
    {
      name: 'url',
      value: 'url',
      summary: 'The gateway’s address, where there is no configuration of it here.',
    },
    { name: 'name', value: 'name', summary: 'What the client calls it; cortex by default.' },
    {
      name: 'scope',
      value: 'scope',
      summary: 'Whose file: yours, or that of the project in this folder.',
      choices: ['user', 'project'],
    },
    { name: 'write', summary: 'Write it into the client’s file.' },
    { name: 'remove', summary: 'Take it out of the client’s file.' },
  ],
  examples: [
    { line: 'cortex connect', meaning: 'every client, and whether it is here' },
    { line: 'cortex connect cursor --write', meaning: 'into ~/.cursor/mcp.json' },
    {
      line: 'cortex connect codex --url https://mcp.example.com/mcp',
      meaning: 'what to type, for a gateway elsewhere',
    },
  ],
  load: async () => (await import('./commands/connect.ts')).connect,
};
