import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnswerReader, type ReadOutcome } from '#outbound/answer-reader.ts';
import { stopwatch } from '../support/stopwatch.ts';

interface Read {
  readonly outcome: ReadOutcome;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly isReusable: boolean;
}

/** What a reader makes of bytes that come in these pieces. */
function read(pieces: readonly Buffer[], maxHeadBytes = 1_000): Read {
  const reader = createAnswerReader(maxHeadBytes);
  const body: Buffer[] = [];
  let status: number | undefined;
  let headers: readonly (readonly [string, string])[] = [];
  let outcome: ReadOutcome = 'more';
  reader.expect();
  for (const piece of pieces) {
    outcome = reader.push(piece, {
      starts: () => true,
      head(answered, fields) {
        status = answered;
        headers = [...fields];
      },
      data: (chunk) => body.push(chunk),
      ends() {},
      fails() {},
    });
    if (outcome !== 'more' && outcome !== 'done') break;
  }
  const isReusable = reader.isReusable();
  return { outcome, status, headers, body: Buffer.concat(body).toString('latin1'), isReusable };
}

const head = 'HTTP/1.1 200 OK\r\n';
const bytes = (text: string) => Buffer.from(text, 'latin1');

const whole: readonly (readonly [string, string])[] = [
  ['a length', `${head}Content-Length: 7\r\nX: \t y \r\n\r\n{"a":1}`],
  ['no body', 'HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n'],
  ['an empty body', `${head}content-length: 0\r\n\r\n`],
  ['chunks', `${head}Transfer-Encoding: Chunked\r\n\r\n3;x="1"\r\n{"a\r\n4\r\n":1}\r\n0\r\nT: 1\r\n\r\n`],
  [
    'interim answers',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: <x>\r\n\r\n${head}Content-Length: 1\r\n\r\n1`,
  ],
];

describe('an answer', () => {
  test.each(whole)('with %s is read the same however it is cut into pieces', (_title, text) => {
    const expected = read([bytes(text)]);
    expect(expected.outcome).toBe('done');
    expect(expected.isReusable).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const points = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = points.slice(1).map((end, index) => bytes(text.slice(points[index], end)));
        expect(read(pieces)).toEqual(expected);
      }),
    );
    expect(read([...text].map(bytes))).toEqual(expected);
  });

  test('keeps names in lower case and values without the white space around them', () => {
    expect(read([bytes(`${head}X-Y:\t a b \r\nx-y: \xe9\r\nContent-Length: 0\r\n\r\n`)]).headers).toEqual([
      ['x-y', 'a b, \xe9'],
      ['content-length', '0'],
    ]);
  });

  test.each([
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}'],
    ['that asks to close', `${head}Connection: foo , Close\r\nContent-Length: 2\r\n\r\n{}`],
  ])('%s ends its connection', (_title, text) => {
    expect(read([bytes(text)])).toMatchObject({ outcome: 'done', body: '{}', isReusable: false });
  });

  test('followed by anything leaves a connection of no use', () => {
    for (const surplus of ['x', '\r\n', `${head}Content-Length: 0\r\n\r\n`]) {
      const text = `${head}Content-Length: 2\r\n\r\n{}${surplus}`;
      expect(read([bytes(text)])).toMatchObject({ outcome: 'surplus', body: '{}' });
    }
  });

  test.each([
    ['a head without a status', 'HTTP/1.1\r\n\r\n'],
    ['another protocol', 'HTTP/2 200\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 099 x\r\n\r\n'],
    ['an empty line before the head', `\r\n${head}Content-Length: 0\r\n\r\n`],
    ['lines that end in a line feed alone', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a carriage return within a line', `${head}X: a\rContent-Length: 1\r\n\r\n`],
    ['a folded header', `${head}X: a\r\n b\r\n\r\n`],
    ['a space before a colon', `${head}Content-Length : 2\r\n\r\n{}`],
    ['a header without a name', `${head}: 2\r\n\r\n`],
    ['a header without a colon', `${head}Content-Length\r\n\r\n`],
    ['a zero byte in a header', `${head}X: \0\r\n\r\n`],
    ['a length twice', `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['a list of lengths', `${head}Content-Length: 2, 2\r\n\r\n{}`],
    ['a signed length', `${head}Content-Length: +2\r\n\r\n{}`],
    ['a hexadecimal length', `${head}Content-Length: 0x2\r\n\r\n{}`],
    ['a length beyond all measure', `${head}Content-Length: ${'9'.repeat(30)}\r\n\r\n{}`],
    ['an empty length', `${head}Content-Length:\r\n\r\n{}`],
    ['length and chunks', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['an unknown transfer coding', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks twice', `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a negative chunk', `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
    ['a chunk beyond all measure', `${head}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n`],
    ['a chunk that is longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    [
      'a chunk line that ends in a line feed alone',
      `${head}Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`,
    ],
    ['an endless chunk line', `${head}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2_000)}`],
    ['a trailer that is none', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n`],
    ['endless trailers', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${'A: bbbbbbbb\r\n'.repeat(200)}`],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ])('with %s is refused', (_title, text) => {
    expect(read([bytes(text)]).outcome).toBe('malformed');
    expect(read([...text].map(bytes)).outcome).toBe('malformed');
  });

  test.each([
    ['whole', `${head}X: ${'x'.repeat(2_000)}\r\n\r\n`],
    ['without an end', `${head}X: ${'x'.repeat(2_000)}`],
  ])('with too large a head, %s, is refused', (_title, text) => {
    expect(read([bytes(text)]).outcome).toBe('head_too_large');
    expect(read([...text].map(bytes)).outcome).toBe('head_too_large');
  });

  test('of hostile length is refused in no time', () => {
    const spaces = ' '.repeat(60_000);
    const elapsedMs = stopwatch();
    for (const text of [
      `${head}X:${spaces}\0\r\n\r\n`,
      `${head}Connection: ${`${spaces},`.repeat(1)}x\r\n\r\n`,
    ]) {
      read([bytes(text)], 100_000);
    }
    expect(elapsedMs()).toBeLessThan(200);
  });

  test('of random bytes never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (pieces) => {
        read([bytes(head), ...pieces.map((piece) => Buffer.from(piece))]);
      }),
    );
  });
});
