import type { CommandSpec } from './command.ts';

/** The command that says why a call does not work. */
export const explainCommands: readonly CommandSpec[] = [
  {
    name: 'explain',
    summary: 'Say what stands before a call, gate by gate, with the fix.',
    description:
      'In the order of a call: the token, the backend, the linked account, the list, the quarantine, the scopes and the plan that has them, the allowance, whose identity reaches the application, and what the application itself says. It stops at the gate that would stop the call. The application is asked as the caller, through the running gateway: who they are there; and, with --call, to do it. Exit code 1: something stands in the way.',
    args: [{ name: 'tool', summary: 'The tool, as agents call it.', isRequired: true }],
    options: [
      {
        name: 'token',
        value: 'token',
        summary: 'The access token of whoever calls; - reads it from stdin, where nobody else sees it.',
      },
      { name: 'scope', value: 'scope', summary: 'A scope held, or a plan’s name.', isRepeatable: true },
      { name: 'plan', value: 'plan', summary: 'The scopes of a plan.' },
      {
        name: 'call',
        value: 'json',
        summary: 'Call it, with these arguments: what it does is done. Needs --token.',
      },
    ],
    examples: [
      { line: 'cortex explain billing_refund --plan free', meaning: 'what keeps it from the plan free' },
      {
        line: 'cortex explain billing_refund --config cortex.yaml --token - < token.txt',
        meaning: 'and from one person',
      },
      {
        line: `cortex explain notes_list_notes --config cortex.yaml --call '{}' --token - < token.txt`,
        meaning: 'with the application’s own verdict',
      },
    ],
    load: async () => (await import('./commands/explain.ts')).explain,
  },
];
