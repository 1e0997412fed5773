import {
  defaultsQuestion,
  elicit,
  enumsQuestion,
  listRoots,
  pixel,
  sample,
  silence,
  text,
} from './fixture-content.ts';

/** One call of a tool, as the contract brings it. */
export interface FixtureCall {
  readonly params: Readonly<Record<string, unknown>>;
  /** The answers to an earlier question; only objects count. */
  readonly inputResponses: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly requestState: string | undefined;
  readonly clientCapabilities: ReadonlySet<string>;
  progress(event: object): void;
  log(event: object): void;
  /** Adds or removes an entry of a list and tells the gateway. */
  toggle(list: 'tools' | 'prompts'): Promise<void>;
}

/** An MCP-shaped result, a question, or an error of the application. */
export type FixtureAnswer =
  | { readonly content: readonly object[] }
  | {
      readonly resultType: 'input_required';
      readonly inputRequests: Readonly<Record<string, object>>;
      readonly requestState?: string;
    }
  | { readonly error: string };

type FixtureTool = (call: FixtureCall) => FixtureAnswer | Promise<FixtureAnswer>;

const nameQuestion = elicit('What is your name?', { name: { type: 'string' } }, ['name']);
const confirmQuestion = elicit('Please confirm', { ok: { type: 'boolean' } }, ['ok']);

/** What each tool does. */
export const fixtureTools: ReadonlyMap<string, FixtureTool> = new Map<string, FixtureTool>([
  ['test_simple_text', () => say('This is a simple text response for testing.')],
  ['test_image_content', () => ({ content: [{ type: 'image', data: pixel, mimeType: 'image/png' }] })],
  ['test_audio_content', () => ({ content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }] })],
  [
    'test_embedded_resource',
    () => ({ content: [resource('test://embedded-resource', 'This is an embedded resource content.')] }),
  ],
  [
    'test_multiple_content_types',
    () => ({
      content: [
        text('Multiple content types test:'),
        { type: 'image', data: pixel, mimeType: 'image/png' },
        resource(
          'test://mixed-content-resource',
          JSON.stringify({ test: 'data', value: 123 }),
          'application/json',
        ),
      ],
    }),
  ],
  ['test_error_handling', () => ({ error: 'This tool intentionally returns an error for testing' })],
  [
    'test_reconnection',
    async () => {
      await Bun.sleep(100);
      return say('Done.');
    },
  ],
  [
    'test_tool_with_logging',
    async (call) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        call.log({ level: 'info', logger: 'fixture', data });
        await Bun.sleep(50);
      }
      return say('Tool with logging executed successfully');
    },
  ],
  [
    'test_tool_with_progress',
    async (call) => {
      for (const progress of [0, 50, 100]) {
        call.progress({ progress, total: 100, message: `Completed step ${progress} of 100` });
        await Bun.sleep(50);
      }
      return say('Tool with progress executed successfully');
    },
  ],
  [
    'test_logging_tool',
    (call) => {
      call.log({ level: 'info', data: 'test_logging_tool ran' });
      return say('Logged.');
    },
  ],
  ['test_streaming_elicitation', () => say('Nothing was asked.')],
  ['test_x_mcp_header', (call) => say(`region=${String(call.params.region ?? '<none>')}`)],
  ['json_schema_2020_12_tool', (call) => say(JSON.stringify(call.params))],
  [
    'test_trigger_tool_change',
    async (call) => {
      await call.toggle('tools');
      return say('The list of tools changed.');
    },
  ],
  [
    'test_trigger_prompt_change',
    async (call) => {
      await call.toggle('prompts');
      return say('The list of prompts changed.');
    },
  ],
  ['test_toggled_tool', () => say('Here for now.')],
  [
    'test_sampling',
    (call) => answered(call, 'answer', sample(String(call.params.prompt), 100), 'LLM response'),
  ],
  [
    'test_elicitation',
    (call) => {
      const properties = { username: { type: 'string' }, email: { type: 'string' } };
      const question = elicit(String(call.params.message), properties, ['username', 'email']);
      return answered(call, 'answer', question, 'User response');
    },
  ],
  [
    'test_elicitation_sep1034_defaults',
    (call) => answered(call, 'answer', defaultsQuestion, 'Elicitation completed'),
  ],
  [
    'test_elicitation_sep1330_enums',
    (call) => answered(call, 'answer', enumsQuestion, 'Elicitation completed'),
  ],
  ['test_missing_capability', (call) => answered(call, 'answer', sample('Reply with: pong', 16), 'Sampled')],
  [
    'test_input_required_result_elicitation',
    (call) => {
      const name = acceptedContent(call, 'user_name')?.name;
      return typeof name === 'string' ? say(`Hello, ${name}!`) : ask({ user_name: nameQuestion });
    },
  ],
  [
    'test_input_required_result_sampling',
    (call) => answered(call, 'capital_question', sample('What is the capital of France?', 100), 'Sampled'),
  ],
  [
    'test_input_required_result_list_roots',
    (call) => {
      const roots = call.inputResponses.client_roots?.roots;
      return Array.isArray(roots) ? say(`Roots: ${JSON.stringify(roots)}`) : ask({ client_roots: listRoots });
    },
  ],
  [
    'test_input_required_result_request_state',
    (call) => {
      if (acceptedContent(call, 'confirm') === undefined)
        return ask({ confirm: confirmQuestion }, 'confirming');
      return call.requestState === 'confirming' ? say('state-ok') : { error: 'the state was lost' };
    },
  ],
  [
    'test_input_required_result_tampered_state',
    (call) => {
      const isConfirmed =
        call.requestState === 'confirming' && acceptedContent(call, 'confirm') !== undefined;
      return isConfirmed ? say('integrity-ok') : ask({ confirm: confirmQuestion }, 'confirming');
    },
  ],
  [
    'test_input_required_result_multiple_inputs',
    (call) => {
      const { greeting, client_roots } = call.inputResponses;
      const name = acceptedContent(call, 'user_name')?.name;
      if (typeof name === 'string' && greeting !== undefined && client_roots !== undefined) {
        return say(`${JSON.stringify(greeting)} ${name} ${JSON.stringify(client_roots)}`);
      }
      const questions = {
        user_name: nameQuestion,
        greeting: sample('Generate a greeting', 50),
        client_roots: listRoots,
      };
      return ask(questions, 'asked');
    },
  ],
  ['test_input_required_result_multi_round', multiRound],
  [
    'test_input_required_result_capabilities',
    (call) => {
      if (Object.keys(call.inputResponses).length > 0) return say('Answered.');
      const questions: Record<string, object> = {};
      if (call.clientCapabilities.has('elicitation')) questions.user_name = nameQuestion;
      if (call.clientCapabilities.has('sampling'))
        questions.greeting = sample('Generate a short greeting', 50);
      if (call.clientCapabilities.has('roots')) questions.client_roots = listRoots;
      return Object.keys(questions).length === 0 ? say('Nothing can be asked.') : ask(questions);
    },
  ],
]);

function multiRound(call: FixtureCall): FixtureAnswer {
  const step = (name: string, message: string, property: string): Readonly<Record<string, object>> => ({
    [name]: elicit(message, { [property]: { type: 'string' } }, [property]),
  });
  if (call.requestState === undefined)
    return ask(step('step1', 'Step 1: What is your name?', 'name'), 'round 1');
  if (call.requestState === 'round 1') {
    const name = String(acceptedContent(call, 'step1')?.name);
    return ask(step('step2', 'Step 2: What is your favorite color?', 'color'), `round 2 ${name}`);
  }
  return say(
    `${call.requestState.slice('round 2 '.length)} likes ${String(acceptedContent(call, 'step2')?.color)}`,
  );
}

function say(value: string): FixtureAnswer {
  return { content: [text(value)] };
}

function ask(inputRequests: Readonly<Record<string, object>>, requestState?: string): FixtureAnswer {
  return {
    resultType: 'input_required',
    inputRequests,
    ...(requestState === undefined ? {} : { requestState }),
  };
}

/** Asks one question until it is answered, then says the answer. */
function answered(call: FixtureCall, key: string, question: object, prefix: string): FixtureAnswer {
  const answer = call.inputResponses[key];
  return answer === undefined ? ask({ [key]: question }) : say(`${prefix}: ${JSON.stringify(answer)}`);
}

/** The content of an elicitation that the user accepted. */
export function acceptedContent(
  call: FixtureCall,
  key: string,
): Readonly<Record<string, unknown>> | undefined {
  const answer = call.inputResponses[key];
  return answer?.action === 'accept' && isRecord(answer.content) ? answer.content : undefined;
}

function resource(uri: string, value: string, mimeType = 'text/plain'): object {
  return { type: 'resource', resource: { uri, mimeType, text: value } };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
