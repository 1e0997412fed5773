import type { JsonObject } from '#kernel/json.ts';
import { allRevisions } from '#wire/protocol.ts';

/** What anyone may read about this server: how to reach it, and nothing about what is behind it. */
export function serverCard(gateway: {
  readonly url: string;
  readonly name: string;
  readonly websiteUrl: string | undefined;
}): JsonObject {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/mcp-server-card/v1.json',
    name: gateway.name,
    description: 'One MCP server in front of several applications; every call is made as the signed-in user.',
    ...(gateway.websiteUrl === undefined ? {} : { websiteUrl: gateway.websiteUrl }),
    protocolVersions: [...allRevisions],
    transport: { type: 'streamable-http', endpoint: gateway.url },
    authentication: { required: true, schemes: ['oauth2'] },
  };
}
