import { expect, test } from 'vitest';
import { failure } from '#backends/failures.ts';
import { isUnknownMethod } from '#backends/unknown-method.ts';

const said = (message: string, status = 404) =>
  failure('invalid', { status, message, body: { error: message } });

test.each([
  'Unknown method: complete',
  'unknown tool "complete"',
  'unsupported method',
  'Method not found',
  'the tool complete is not supported',
  'method get_help not implemented',
])('%j says that the method does not exist', (message) => {
  expect(isUnknownMethod(said(message), 'complete')).toBe(true);
});

test.each(['could not complete the request', 'note not found', 'no such user', 'invalid argument'])(
  '%j is an error of the application',
  (message) => {
    expect(isUnknownMethod(said(message), 'complete')).toBe(false);
  },
);

test('405 and 501 say it whatever the body, a gateway’s 404 page does not', () => {
  expect(isUnknownMethod(failure('invalid', { status: 405 }), 'complete')).toBe(true);
  expect(isUnknownMethod(failure('failed', { status: 501 }), 'complete')).toBe(true);
  expect(isUnknownMethod(failure('invalid', { status: 404, message: 'Unknown method' }), 'complete')).toBe(
    false,
  );
  expect(isUnknownMethod(failure('timeout', { message: 'Unknown method' }), 'complete')).toBe(false);
});

test('a name with an underscore in the text is the method’s', () => {
  expect(isUnknownMethod(said('get_help?', 500), 'get_help')).toBe(true);
});
