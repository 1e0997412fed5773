/** The scopes of the demo's applications and of its third-party server, and what the consent page says of each. */
export const demoScopes: Readonly<Record<string, string>> = {
  'mcp:notes:read': 'Read your notes',
  'mcp:notes:write': 'Write notes in your name',
  'mcp:billing:read': 'See your plan and your invoices',
  'mcp:billing:export': 'Export your invoices',
  'mcp:calendar': 'Use the calendar account that you link',
};

const free = ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read', 'mcp:calendar'];

/** Smallest first: what a new user gets, and what an upgrade brings. */
export const demoPlans: Readonly<Record<'free' | 'pro', readonly string[]>> = {
  free,
  pro: [...free, 'mcp:billing:export'],
};
