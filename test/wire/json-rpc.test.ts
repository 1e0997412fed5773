import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorText, notificationText, parseMessage, requestText, resultText } from '#wire/json-rpc.ts';

describe('a message', () => {
  test.each([
    [
      { jsonrpc: '2.0', id: 1, method: 'm' },
      { kind: 'request', id: 1, method: 'm', params: {} },
    ],
    [
      { jsonrpc: '2.0', id: 'a', method: 'm', params: { x: 1 } },
      { kind: 'request', id: 'a', method: 'm', params: { x: 1 } },
    ],
    [
      { jsonrpc: '2.0', id: 0, method: 'm' },
      { kind: 'request', id: 0, method: 'm', params: {} },
    ],
    [
      { jsonrpc: '2.0', id: '', method: '' },
      { kind: 'request', id: '', method: '', params: {} },
    ],
    [
      { jsonrpc: '2.0', method: 'm' },
      { kind: 'notification', method: 'm', params: {} },
    ],
    [
      { jsonrpc: '2.0', id: 1, result: { a: 1 } },
      { kind: 'response', id: 1, result: { a: 1 } },
    ],
    [
      { jsonrpc: '2.0', id: 1, error: { code: 1 } },
      { kind: 'response', id: 1, error: { code: 1 } },
    ],
    [
      { jsonrpc: '2.0', id: 1, error: { code: 1 }, result: {} },
      { kind: 'response', id: 1, error: { code: 1 } },
    ],
  ])('%j is %j', (value, message) => {
    expect(parseMessage(value)).toEqual({ ok: true, value: message });
  });

  test.each([
    [undefined, undefined],
    [null, undefined],
    [[], undefined],
    ['{}', undefined],
    [{}, undefined],
    [{ jsonrpc: 2, id: 1, method: 'm' }, 1],
    [{ jsonrpc: '2.0', id: null, method: 'm' }, undefined],
    [{ jsonrpc: '2.0', id: 1.5, method: 'm' }, undefined],
    [{ jsonrpc: '2.0', id: 'x'.repeat(1_025), method: 'm' }, undefined],
    [{ jsonrpc: '2.0', id: 2 ** 53, method: 'm' }, undefined],
    [{ jsonrpc: '2.0', id: true, method: 'm' }, undefined],
    [{ jsonrpc: '2.0', id: 1, method: 'm', params: null }, 1],
    [{ jsonrpc: '2.0', id: 1, method: 'm', params: [] }, 1],
    [{ jsonrpc: '2.0', id: 1, method: 1, result: {} }, 1],
    [{ jsonrpc: '2.0', id: 1, result: null }, 1],
    [{ jsonrpc: '2.0', result: {} }, undefined],
  ])('%j is none; its id is %s', (value, id) => {
    expect(parseMessage(value)).toEqual({ ok: false, error: { id } });
  });

  test('whatever JSON comes, parsing it gives a message or a refusal and never throws', () => {
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 1, 'm', {}));
    const member = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', 'error', '__proto__');
    fc.assert(
      fc.property(fc.dictionary(member, part), (value) => {
        const parsed = parseMessage(JSON.parse(JSON.stringify(value)));
        if (parsed.ok && parsed.value.kind === 'request')
          expect(['string', 'number']).toContain(typeof parsed.value.id);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('what is written is one line of JSON, whatever the ids and texts are', () => {
  const texts = [
    resultText('a"\n', '"x":1'),
    resultText(1, ''),
    errorText(undefined, -1, 'm\n', undefined),
    errorText(2, -1, 'm', { a: '\u2028' }),
    notificationText('n', { a: 1 }),
    requestText('id', 'm', {}),
  ];
  expect(texts.map((text): unknown => JSON.parse(text))).toEqual([
    { jsonrpc: '2.0', id: 'a"\n', result: { x: 1 } },
    { jsonrpc: '2.0', id: 1, result: {} },
    { jsonrpc: '2.0', error: { code: -1, message: 'm\n' } },
    { jsonrpc: '2.0', id: 2, error: { code: -1, message: 'm', data: { a: '\u2028' } } },
    { jsonrpc: '2.0', method: 'n', params: { a: 1 } },
    { jsonrpc: '2.0', id: 'id', method: 'm', params: {} },
  ]);
  for (const text of texts) expect(text).not.toMatch(/[\r\n]/);
});
