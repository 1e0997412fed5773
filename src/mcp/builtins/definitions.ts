import type { BuiltinDefinition } from './builtin.ts';

const readOnly = { readOnlyHint: true, openWorldHint: false } as const;
const noArguments = { type: 'object', properties: {}, additionalProperties: false } as const;

export const whoamiDefinition: BuiltinDefinition = {
  name: 'whoami',
  isForSearch: false,
  wire: {
    title: 'Who am I',
    description:
      'Your identity as this gateway sees it: subject, scopes, plan, and what each application you can reach says of your role there.',
    inputSchema: noArguments,
    annotations: readOnly,
  },
};

export const findToolsDefinition: BuiltinDefinition = {
  name: 'find_tools',
  isForSearch: true,
  wire: {
    title: 'Find tools',
    description:
      'Finds tools and returns their full schemas: by exact names, or by a ranked search over names, descriptions and parameters. Call the tools found under their own names.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What you want to do, in a few words' },
        names: { type: 'array', items: { type: 'string' }, description: 'Exact tool names' },
        limit: { type: 'integer', minimum: 1, maximum: 50, description: 'At most this many (default 8)' },
      },
      additionalProperties: false,
    },
    annotations: readOnly,
  },
};

export const listResourcesDefinition: BuiltinDefinition = {
  name: 'list_cortex_resources',
  isForSearch: false,
  wire: {
    title: 'List resources',
    description:
      'The resources and resource templates you can read, for clients that cannot list resources themselves.',
    inputSchema: {
      type: 'object',
      properties: { cursor: { type: 'string' } },
      additionalProperties: false,
    },
    annotations: readOnly,
  },
};

export const readResourceDefinition: BuiltinDefinition = {
  name: 'read_cortex_resource',
  isForSearch: false,
  wire: {
    title: 'Read a resource',
    description: 'Reads one resource by its URI, for clients that cannot read resources themselves.',
    inputSchema: {
      type: 'object',
      properties: { uri: { type: 'string' } },
      required: ['uri'],
      additionalProperties: false,
    },
    annotations: readOnly,
  },
};

export const reportTicketDefinition: BuiltinDefinition = {
  name: 'report_missing_capability',
  isForSearch: false,
  wire: {
    title: 'Report a missing capability',
    description:
      'Tells the people who run these applications what you could not do and would have needed. The same report within 24 hours is counted, not repeated.',
    inputSchema: {
      type: 'object',
      properties: {
        title: { type: 'string', maxLength: 200, description: 'The capability that is missing, in one line' },
        details: { type: 'string', maxLength: 4000, description: 'What you were trying to do' },
        severity: { type: 'string', enum: ['low', 'normal', 'blocking'] },
        backend: { type: 'string', description: 'The application it concerns, if you know' },
      },
      required: ['title'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
};

export const listTicketsDefinition: BuiltinDefinition = {
  name: 'list_cortex_tickets',
  isForSearch: false,
  wire: {
    title: 'My reports',
    description: 'The missing capabilities that you have reported, newest first.',
    inputSchema: {
      type: 'object',
      properties: { backend: { type: 'string', description: 'An application that keeps its own tickets' } },
      additionalProperties: false,
    },
    annotations: readOnly,
  },
};

/** Every builtin, in code-unit order of names. */
export const builtinDefinitions: readonly BuiltinDefinition[] = [
  findToolsDefinition,
  listResourcesDefinition,
  listTicketsDefinition,
  readResourceDefinition,
  reportTicketDefinition,
  whoamiDefinition,
];

/** No backend's tool may take one of these names (R19). */
export const reservedNames: readonly string[] = builtinDefinitions.map(({ name }) => name);
