import fc from 'fast-check';
import { expect } from 'vitest';
import { memberSpans, memberText, withMembers } from '#adapter/member-spans.ts';
import { createLineSplitter } from '#adapter/stdio-lines.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { decodeCursor, encodeCursor } from '#mcp/cursor.ts';
import { readJsonBody } from '#mcp/read-body.ts';
import { createSseReader, type SseEvent } from '#outbound/sse-reader.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { decodeHeaderValue, encodeHeaderValue } from '#wire/header-value.ts';
import { errorText, parseMessage, requestText, resultText } from '#wire/json-rpc.ts';
import { type Target, textOf } from './target.ts';

const member = fc.constantFrom(
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
  '__proto__',
  'constructor',
);
const rpcValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<fc.JsonValue>('2.0', 1, -1, 2 ** 53, 0.5, 'tools/call', {}, []),
);
export const anyText = fc.string({
  unit: fc.oneof(
    { weight: 9, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    fc.constantFrom('\n', '\r', '"', '\\', '\0', ' ', '=', '?'),
  ),
  maxLength: 60,
});

const jsonRpc: Target = {
  name: 'json-rpc',
  promise: 'gives a message that can be answered, or a refusal, from a body as from a value',
  runs: 1_500,
  inputs: fc.dictionary(member, rpcValue, { maxKeys: 7 }).map((value) => JSON.stringify(value)),
  async holds(input) {
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(input),
    });
    const body = await readJsonBody(request, 1_000_000);
    if (!body.ok) return;
    const parsed = parseMessage(body.value.value);
    if (!parsed.ok) {
      const text = errorText(parsed.error.id, -32600, 'no', undefined);
      expect(JSON.parse(text).id).toEqual(parsed.error.id);
      return;
    }
    const message = parsed.value;
    if (message.kind === 'request') {
      const again = parseMessage(JSON.parse(requestText(message.id, message.method, message.params)));
      expect(again).toEqual(parsed);
    }
    if (message.kind !== 'notification') {
      const text = resultText(message.id, '"a":1');
      expect(text).not.toMatch(/[\r\n]/);
      expect(JSON.parse(text)).toEqual({ jsonrpc: '2.0', id: message.id, result: { a: 1 } });
    }
  },
};

const headerValue: Target = {
  name: 'header-value',
  promise: 'reads only what it would write, and writes only what a header may hold',
  runs: 4_000,
  inputs: fc.oneof(
    anyText,
    anyText.map((text) => `=?base64?${Buffer.from(text).toString('base64')}?=`),
  ),
  holds(input) {
    const text = textOf(input);
    const written = encodeHeaderValue(text);
    expect(written).toMatch(/^[\x20-\x7e\t]*$/);
    expect(new Headers({ x: written }).get('x')).toBe(written);
    expect(decodeHeaderValue(written)).toBe(text);
    const read = decodeHeaderValue(text);
    if (read !== undefined) expect(decodeHeaderValue(encodeHeaderValue(read))).toBe(read);
  },
};

const cursor: Target = {
  name: 'cursor',
  promise: 'goes on after exactly the name it was made of, and takes no other spelling',
  runs: 4_000,
  inputs: fc.oneof(
    anyText.map(encodeCursor),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
    fc
      .record({ v: fc.constantFrom(1, '1', 2), a: fc.jsonValue() })
      .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  ),
  holds(input) {
    const text = textOf(input);
    expect(decodeCursor(encodeCursor(text))).toBe(text);
    const after = decodeCursor(text);
    if (after !== undefined) expect(encodeCursor(after)).toBe(text);
  },
};

/** Where a reader's input is cut, made of the input itself so that a failure is one file. */
function cuts(input: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < input.length; ) {
    const size = 1 + (((input[at] ?? 0) * 7 + at) % 5);
    pieces.push(input.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function eventsOf(pieces: readonly Uint8Array[]): readonly (SseEvent | 'bad_encoding')[] {
  const events: (SseEvent | 'bad_encoding')[] = [];
  const reader = createSseReader((event) => events.push(event) < 0);
  for (const piece of pieces) {
    if (reader.push(piece) !== 'bad_encoding') continue;
    events.push('bad_encoding');
    break;
  }
  return events;
}

const sse: Target = {
  name: 'sse',
  promise: 'tells the same events however the stream is cut, and no text twice',
  runs: 4_000,
  inputs: fc
    .array(
      fc.tuple(
        fc.constantFrom('data: ', 'data:', 'data', 'event: ', 'id: ', 'retry: ', ':', '', 'data : '),
        fc.constantFrom('', 'a', '7', '{"jsonrpc":"2.0"}', 'é€😀', '\0', '\ufeff'),
        fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\r'),
      ),
      { maxLength: 12 },
    )
    .map((lines) => lines.flat().join('')),
  holds(input) {
    const whole = eventsOf([input]);
    const cut = eventsOf(cuts(input));
    // What is no UTF-8 is noticed sooner in small pieces; until then the same was told.
    if (whole.includes('bad_encoding') || cut.includes('bad_encoding')) {
      expect(cut.at(-1)).toBe('bad_encoding');
      return;
    }
    expect(cut).toEqual(whole);
    const told = whole.reduce((sum, event) => sum + (event === 'bad_encoding' ? 0 : event.data.length), 0);
    expect(told).toBeLessThanOrEqual(textOf(input).length);
  },
};

const lines: Target = {
  name: 'stdio-lines',
  promise: 'gives the same lines however they come in, and holds no more of one than allowed',
  runs: 3_000,
  inputs: fc
    .array(fc.oneof(anyText, fc.constantFrom('\n', '\r\n', 'x'.repeat(40))), { maxLength: 8 })
    .map((all) => all.join('')),
  holds(input) {
    const take = (pieces: readonly Uint8Array[]) => {
      const told: string[] = [];
      const push = createLineSplitter(32, {
        line: (text) => told.push(`line ${text}`),
        unreadable: () => told.push('unreadable'),
        tooLong: (head, tail) => told.push(`too long ${head.slice(0, 8)} ${tail.slice(-8)}`),
      });
      for (const piece of pieces) push(piece);
      return told;
    };
    const whole = take([input]);
    expect(take(cuts(input))).toEqual(whole);
    for (const line of whole)
      if (line.startsWith('line ')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(5 + 32);
  },
};

const spans: Target = {
  name: 'member-spans',
  promise: 'finds in an object’s text what parsing finds, and changes nothing else',
  runs: 1_500,
  inputs: fc
    .dictionary(fc.oneof(anyText, fc.constantFrom('a', 'result', '_meta')), fc.jsonValue(), { maxKeys: 5 })
    .chain((value) =>
      fc.constantFrom(undefined, 1, '\t').map((space) => JSON.stringify(value, undefined, space)),
    ),
  holds(input) {
    const text = textOf(input);
    const parsed = parseJson(text);
    if (!parsed.ok || !isJsonObject(parsed.value)) return;
    const value = parsed.value;
    const keys = memberSpans(text).map(({ key }) => key);
    expect(new Set(keys)).toEqual(new Set(Object.keys(value)));
    for (const key of keys) expect(JSON.parse(memberText(text, key) ?? '')).toEqual(value[key]);
    expect(JSON.parse(withMembers(text, new Map()))).toEqual(value);
    const [first] = keys;
    if (first === undefined) return;
    const without = Object.fromEntries(Object.entries(value).filter(([key]) => key !== first));
    expect(JSON.parse(withMembers(text, new Map([[first, undefined]])))).toEqual(without);
  },
};

const challenge: Target = {
  name: 'bearer-challenge',
  promise: 'is read or not, and names only scopes that can be scopes',
  runs: 3_000,
  inputs: fc
    .array(
      fc.oneof(
        anyText,
        fc.constantFrom(
          'Bearer ',
          'scope="a b"',
          'resource_metadata=',
          '"https://x"',
          ', ',
          'Basic abc==',
          'error=invalid_token',
        ),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
  holds(input) {
    const read = parseBearerChallenge(textOf(input));
    for (const scope of read?.scopes ?? []) expect(scope).toMatch(/^[!#-[\]-~]+$/);
  },
};

export const wireTargets: readonly Target[] = [jsonRpc, headerValue, cursor, sse, lines, spans, challenge];
