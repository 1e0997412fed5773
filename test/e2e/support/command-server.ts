import { join } from 'node:path';

export const mcpServerChild = join(import.meta.dirname, 'mcp-server-child.ts');

/** The configuration of a server by hand as a command; see `mcp-server-child.ts`. */
export function commandServer(
  era: 'legacy' | 'modern',
  more: Readonly<Record<string, unknown>> & { readonly manner?: string } = {},
): Readonly<Record<string, unknown>> {
  const { manner, ...config } = more;
  return {
    command: [process.execPath, mcpServerChild, era, ...(manner === undefined ? [] : [manner])],
    identity: 'none',
    list: 'shared',
    scopes: { default: 'mcp:test' },
    ...config,
  };
}
