/** The name in the MCP registry that the owner of a repository on GitHub may publish under. */
export function registryName(repository: string): string {
  return `io.github.${repository}`;
}

/**
 * The entry of the MCP registry (`server.json`, schema of 2025-12-11): the bridge to a gateway for clients that know
 * no HTTP, which is what a client can start by itself; the image is the gateway.
 */
export function registryEntry(release: { readonly repository: string; readonly version: string }) {
  const { repository, version } = release;
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: registryName(repository),
    title: 'Cortex Gateway',
    description: 'One MCP server in front of all your apps, with the permissions each has, per user.',
    version,
    repository: { url: `https://github.com/${repository}`, source: 'github' },
    packages: [
      {
        registryType: 'npm',
        registryBaseUrl: 'https://registry.npmjs.org',
        identifier: 'cortex-gateway',
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [
          { type: 'positional', value: 'stdio' },
          {
            type: 'positional',
            valueHint: 'gateway_url',
            description: 'The URL of your gateway; the browser opens for signing in.',
            format: 'string',
            isRequired: true,
            placeholder: 'https://mcp.example.com/mcp',
          },
        ],
      },
    ],
  };
}
