import type { CatalogTool } from '#catalog/snapshot.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';

/** What the tool is called that links one's own account at a server; no other tool may have this name. */
export function linkToolName(server: BackendId): string {
  return `${server}_link`;
}

/** The one tool of a server that is listed to those who have not linked an account there (R44). */
export function linkTool(server: BackendId, scopes: readonly string[]): CatalogTool {
  const description =
    `${server} is used with your own account there, and none is linked yet. ` +
    'This gives you a page to link it; its tools are listed from then on.';
  const inputSchema: JsonObject = { type: 'object', properties: {}, additionalProperties: false };
  return {
    publicName: linkToolName(server),
    backend: server,
    paramHeaders: [],
    definition: {
      name: 'link',
      scopes,
      description,
      inputSchema,
      hasOutputSchema: false,
      isReadOnly: false,
      isIdempotent: true,
      version: undefined,
      deprecated: undefined,
      wire: {
        title: `Link your ${server} account`,
        description,
        inputSchema,
        annotations: {
          readOnlyHint: false,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: true,
        },
      },
    },
  };
}
