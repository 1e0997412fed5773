import type { Seen } from '../views.ts';

export const architectureUri = 'cortex://architecture';

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A page about what this caller can reach, made of its own view alone. */
export function architectureText(serverName: string, view: Seen): string {
  const applications = view.backends.map((backend) => {
    const of = <T extends { readonly backend: string }>(items: readonly T[]) =>
      items.filter((item) => item.backend === backend.id).length;
    const parts = [
      counted(of(view.tools), 'tool'),
      counted(of(view.prompts), 'prompt'),
      counted(of(view.resources) + of(view.templates), 'resource'),
    ];
    const health = backend.status === 'fresh' ? '' : ' (not answering at the moment)';
    const help = backend.helpName === undefined ? '' : ` Start with \`${backend.helpName}\`.`;
    const link = view.links.get(backend.id);
    if (link !== undefined)
      return `- **${backend.id}**: your account there is not linked yet. Call \`${link}\`.`;
    return `- **${backend.id}**${health}: ${parts.join(', ')}.${help}`;
  });
  return [
    `# ${serverName}`,
    '',
    'One MCP server in front of several applications. Every call is made with your own identity, and the application',
    'that owns the data decides what you may do. You see what the scopes of your token allow, and nothing else.',
    '',
    '## Applications you can reach',
    '',
    ...(applications.length === 0 ? ['None with the scopes of your token.'] : applications),
    '',
    '## Always there',
    '',
    '- `whoami`: your identity, scopes and plan.',
    '- `report_missing_capability`: say what you needed and could not do.',
    '',
  ].join('\n');
}

/** Server instructions for `initialize` and `server/discover`: the caller's healthy backends and where their help is. */
export function instructionsText(view: Seen): string {
  const healthy = view.backends.filter(({ status }) => status === 'fresh');
  const listed = new Set(view.tools.map(({ publicName }) => publicName));
  const lines = healthy.map(({ id, helpName }) => {
    const link = view.links.get(id);
    if (link !== undefined) return `- ${id} (your account there is not linked yet: call ${link})`;
    const own = helpName ?? [...listed].find((name) => name === `${id}_get_help`);
    return own === undefined ? `- ${id}` : `- ${id} (how to work with it: ${own})`;
  });
  return [
    'Tools of several applications behind one server; every call is made as the signed-in user.',
    ...(lines.length === 0 ? [] : ['Applications you can reach:', ...lines]),
    'Call whoami to see your identity and plan. If something you need is missing, call report_missing_capability.',
  ].join('\n');
}
