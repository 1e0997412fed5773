/** The scope that every entry of the fixture needs. */
export const fixtureScope = 'mcp:test';

const noArguments = { type: 'object', properties: {} } as const;

function tool(name: string, description: string, inputSchema: object = noArguments): object {
  return { name, description, inputSchema, scope: fixtureScope };
}

/** Tools under the names that the official suite calls; `isToggled` is the one that a trigger adds and removes. */
export function fixtureTools(isToggled: boolean): readonly object[] {
  return [
    tool('test_simple_text', 'Gives one text block.'),
    tool('test_image_content', 'Gives one image block.'),
    tool('test_audio_content', 'Gives one audio block.'),
    tool('test_embedded_resource', 'Gives one embedded resource.'),
    tool('test_multiple_content_types', 'Gives a text, an image and a resource.'),
    tool('test_tool_with_logging', 'Writes three log messages while it runs.'),
    tool('test_tool_with_progress', 'Reports progress three times while it runs.'),
    tool('test_error_handling', 'Always fails.'),
    tool('test_reconnection', 'Takes a moment.'),
    tool('test_sampling', 'Asks the model of the client.', {
      type: 'object',
      properties: { prompt: { type: 'string' } },
      required: ['prompt'],
    }),
    tool('test_elicitation', 'Asks the user for a name and an address.', {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
    }),
    tool('test_elicitation_sep1034_defaults', 'Asks with a default for each primitive type.'),
    tool('test_elicitation_sep1330_enums', 'Asks with each kind of enumeration.'),
    tool('test_x_mcp_header', 'Has an argument that clients mirror into a header.', {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        level: { type: 'integer' },
      },
    }),
    tool(
      'json_schema_2020_12_tool',
      'Has an input schema with the whole vocabulary of 2020-12.',
      jsonSchema2020,
    ),
    tool('test_missing_capability', 'Needs a client that can sample.'),
    tool('test_streaming_elicitation', 'Answers without asking anything.'),
    tool('test_logging_tool', 'Writes one log message.'),
    tool('test_trigger_tool_change', 'Adds or removes a tool.'),
    tool('test_trigger_prompt_change', 'Adds or removes a prompt.'),
    tool('test_input_required_result_elicitation', 'Asks for a name.'),
    tool('test_input_required_result_sampling', 'Asks the model for a capital.'),
    tool('test_input_required_result_list_roots', 'Asks for the roots.'),
    tool('test_input_required_result_request_state', 'Asks for a confirmation and keeps state.'),
    tool('test_input_required_result_multiple_inputs', 'Asks three things at once.'),
    tool('test_input_required_result_multi_round', 'Asks twice, one after the other.'),
    tool('test_input_required_result_tampered_state', 'Asks for a confirmation and needs its state back.'),
    tool('test_input_required_result_capabilities', 'Asks only what the client can answer.'),
    ...(isToggled ? [tool('test_toggled_tool', 'Comes and goes.')] : []),
  ];
}

/** Prompts under the names that the suite gets. */
export function fixturePrompts(isToggled: boolean): readonly object[] {
  const prompt = (name: string, description: string, args: readonly string[] = []): object => ({
    name,
    description,
    scope: fixtureScope,
    ...(args.length === 0
      ? {}
      : { arguments: args.map((argument) => ({ name: argument, description: argument, required: true })) }),
  });
  return [
    prompt('test_simple_prompt', 'Takes no arguments.'),
    prompt('test_prompt_with_arguments', 'Repeats its arguments.', ['arg1', 'arg2']),
    prompt('test_prompt_with_embedded_resource', 'Embeds a resource.', ['resourceUri']),
    prompt('test_prompt_with_image', 'Holds an image.'),
    prompt('test_input_required_result_prompt', 'Asks for context first.'),
    ...(isToggled ? [prompt('test_toggled_prompt', 'Comes and goes.')] : []),
  ];
}

export const fixtureResources: readonly object[] = [
  { uri: 'test://static-text', name: 'static-text', mimeType: 'text/plain', scope: fixtureScope },
  { uri: 'test://static-binary', name: 'static-binary', mimeType: 'image/png', scope: fixtureScope },
  { uri: 'test://watched-resource', name: 'watched-resource', mimeType: 'text/plain', scope: fixtureScope },
];

export const fixtureTemplates: readonly object[] = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'template',
    mimeType: 'application/json',
    scope: fixtureScope,
  },
];

const jsonSchema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
