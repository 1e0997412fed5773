import { describe, expect, test } from 'vitest';
import { parseCompletion } from '#contract/parse-completion.ts';
import { parseErrorBody } from '#contract/parse-error-body.ts';
import { parseInputRequired } from '#contract/parse-input-required.ts';
import { parseStreamEvent } from '#contract/parse-stream-event.ts';
import { isTechnicalToken } from '#contract/technical-token.ts';
import { Secret } from '#kernel/secret.ts';

describe('parseErrorBody', () => {
  test.each([
    ['{"error":"no such note"}', 'no such note', undefined],
    ['{"error":{"message":"deep"}}', 'deep', undefined],
    ['{"error":"x","required":"mcp:a"}', 'x', ['mcp:a']],
    ['{"required":["mcp:a","mcp:b"]}', undefined, ['mcp:a', 'mcp:b']],
    ['{"required":""}', undefined, undefined],
    ['{"required":5}', undefined, undefined],
    ['{"required":["a\\r\\nb"]}', undefined, undefined],
    ['{"error":""}', undefined, undefined],
    ['{"error":5}', undefined, undefined],
  ])('reads %s', (text, message, requiredScopes) => {
    expect(parseErrorBody(text)).toMatchObject({ message, requiredScopes });
  });

  test.each([['<html>'], ['[]'], ['"error"'], ['']])('%j is no error body', (text) => {
    expect(parseErrorBody(text)).toBeUndefined();
  });

  test('cuts an endless text', () => {
    expect(parseErrorBody(JSON.stringify({ error: 'x'.repeat(50_000) }))?.message?.length).toBe(4_000);
  });
});

describe('parseCompletion', () => {
  test('reads values, total and hasMore', () => {
    expect(parseCompletion({ values: ['a'], total: 3, hasMore: true })).toEqual({
      ok: true,
      value: { values: ['a'], total: 3, hasMore: true },
    });
  });

  test('ignores a total and a hasMore of another type', () => {
    expect(parseCompletion({ values: [], total: '3', hasMore: 1 })).toEqual({
      ok: true,
      value: { values: [], total: undefined, hasMore: undefined },
    });
  });

  test('keeps a hundred values and says that there are more', () => {
    const parsed = parseCompletion({ values: Array.from({ length: 101 }, () => 'x'), hasMore: false });
    expect(parsed).toMatchObject({ ok: true, value: { values: { length: 100 }, hasMore: true } });
  });

  test.each([[{}], [{ values: [1] }], [[]], ['a']])('refuses %j', (value) => {
    expect(parseCompletion(value)).toEqual({ ok: false, error: 'not_a_completion' });
  });
});

describe('parseStreamEvent', () => {
  test('reads progress, log and result', () => {
    expect(parseStreamEvent('progress', '{"progress":1,"total":2,"message":"half"}')).toEqual({
      kind: 'progress',
      progress: 1,
      total: 2,
      message: 'half',
    });
    expect(parseStreamEvent('log', '{"level":"info","logger":"db","data":{"rows":1}}')).toEqual({
      kind: 'log',
      level: 'info',
      logger: 'db',
      data: { rows: 1 },
    });
    expect(parseStreamEvent('result', '{"a":1}')).toEqual({ kind: 'result', text: '{"a":1}' });
  });

  test.each([
    ['message', '{}'],
    ['progress', '{}'],
    ['progress', '{"progress":"1"}'],
    ['progress', 'nonsense'],
    ['log', '{"data":1}'],
    ['log', '{"level":"shout","data":1}'],
    ['log', '{"level":"info"}'],
  ])('skips %s %s', (name, data) => {
    expect(parseStreamEvent(name, data)).toBeUndefined();
  });
});

describe('parseInputRequired', () => {
  test('reads the questions and the state', () => {
    const answer = { resultType: 'input_required', inputRequests: { a: {} }, requestState: 's' };
    expect(parseInputRequired(answer)).toEqual({ inputRequests: { a: {} }, requestState: 's' });
    expect(parseInputRequired({ resultType: 'input_required' })).toEqual({});
  });

  test.each([[{}], [{ resultType: 'complete' }], [[]], [null], ['input_required']])(
    '%j asks nothing',
    (value) => {
      expect(parseInputRequired(value)).toBeUndefined();
    },
  );
});

describe('isTechnicalToken', () => {
  const token = new Secret('s3cret');

  test('accepts the token and nothing else', () => {
    expect(isTechnicalToken('s3cret', token)).toBe(true);
    for (const wrong of ['', 's3cre', 's3cret ', 'S3cret', 's3crets']) {
      expect(isTechnicalToken(wrong, token)).toBe(false);
    }
  });
});
