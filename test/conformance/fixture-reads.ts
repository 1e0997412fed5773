import { elicit, pixel, text } from './fixture-content.ts';
import { acceptedContent, type FixtureCall, isRecord } from './fixture-tools.ts';

/** The contents behind a URI; undefined where there is nothing. */
export function fixtureContents(uri: string): readonly object[] | undefined {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  const content: ReadonlyMap<string, object> = new Map<string, object>([
    [
      'test://static-text',
      { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
    ],
    ['test://static-binary', { mimeType: 'image/png', blob: pixel }],
    ['test://watched-resource', { mimeType: 'text/plain', text: 'Watched resource content' }],
    ...(id === undefined
      ? []
      : [[uri, { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }] as const]),
  ]);
  const found = content.get(uri);
  return found === undefined ? undefined : [{ uri, ...found }];
}

/** A prompt's messages, or the question it asks first; undefined where there is no such prompt. */
export function fixturePrompt(name: string, call: FixtureCall): object | undefined {
  const args = isRecord(call.params.arguments) ? call.params.arguments : {};
  const messages = (...contents: readonly object[]): object => ({
    messages: contents.map((content) => ({ role: 'user', content })),
  });
  switch (name) {
    case 'test_simple_prompt':
      return messages(text('This is a simple prompt for testing.'));
    case 'test_prompt_with_arguments':
      return messages(
        text(`Prompt with arguments: arg1='${String(args.arg1)}', arg2='${String(args.arg2)}'`),
      );
    case 'test_prompt_with_embedded_resource': {
      const embedded = {
        uri: String(args.resourceUri),
        mimeType: 'text/plain',
        text: 'Embedded resource content for testing.',
      };
      return messages(
        { type: 'resource', resource: embedded },
        text('Please process the embedded resource above.'),
      );
    }
    case 'test_prompt_with_image':
      return messages(
        { type: 'image', data: pixel, mimeType: 'image/png' },
        text('Please analyze the image above.'),
      );
    case 'test_input_required_result_prompt': {
      const context = acceptedContent(call, 'user_context')?.context;
      if (typeof context === 'string') return messages(text(`Use the following context: ${context}`));
      const question = elicit('What context should the prompt use?', { context: { type: 'string' } }, [
        'context',
      ]);
      return { resultType: 'input_required', inputRequests: { user_context: question } };
    }
    case 'test_toggled_prompt':
      return messages(text('Here for now.'));
    default:
      return undefined;
  }
}

/** Only objects count as answers to a question. */
export function answersOf(value: unknown): FixtureCall['inputResponses'] {
  if (!isRecord(value)) return {};
  const objects: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const [key, inner] of Object.entries(value)) if (isRecord(inner)) objects[key] = inner;
  return objects;
}
