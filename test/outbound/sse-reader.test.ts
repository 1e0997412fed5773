import { describe, expect, test } from 'vitest';
import { createSseReader, type SseEvent } from '#outbound/sse-reader.ts';
import { stopwatch } from '../support/stopwatch.ts';

function readAll(chunks: readonly (string | Uint8Array)[]): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = createSseReader((event) => {
    events.push(event);
    return false;
  });
  for (const chunk of chunks) reader.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return events;
}

describe('createSseReader', () => {
  test('reads name, data over several lines, and id', () => {
    expect(readAll(['event: log\nid: 7\ndata: a\ndata: b\n\n'])).toEqual([
      { event: 'log', data: 'a\nb', id: '7' },
    ]);
  });

  test('an event without a name is a message, comments and unknown fields are skipped', () => {
    expect(readAll([': hello\nretry: 5\ndata\n\ndata:x\n\n'])).toEqual([
      { event: 'message', data: '', id: undefined },
      { event: 'message', data: 'x', id: undefined },
    ]);
  });

  test('takes all three line ends, split anywhere', () => {
    const text = 'event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\revent: c\ndata: é€😀\n\n';
    const whole = readAll([text]);
    expect(whole.map((event) => `${event.event}=${event.data}`)).toEqual(['a=1', 'b=2', 'c=é€😀']);
    const bytes = Buffer.from(text);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(readAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
    expect(readAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('drops an event that the end of the stream cuts off', () => {
    expect(readAll(['data: 1\n\ndata: 2\n'])).toHaveLength(1);
  });

  test('a name without data dispatches nothing and does not stick to the next event', () => {
    expect(readAll(['event: a\n\ndata: 1\n\n'])).toEqual([{ event: 'message', data: '1', id: undefined }]);
  });

  test('says done as soon as the consumer does, and reads no further', () => {
    const seen: string[] = [];
    const reader = createSseReader((event) => {
      seen.push(event.data);
      return event.data === '1';
    });
    expect(reader.push(Buffer.from('data: 1\n\ndata: 2\n\n'))).toBe('done');
    expect(seen).toEqual(['1']);
  });

  test('refuses what is not UTF-8', () => {
    expect(createSseReader(() => false).push(Uint8Array.of(0x64, 0xff))).toBe('bad_encoding');
  });

  test('reads one line of 8 MB in small pieces without copying it again and again', () => {
    const piece = Buffer.from('x'.repeat(8_192));
    const events: SseEvent[] = [];
    const reader = createSseReader((event) => {
      events.push(event);
      return false;
    });
    const elapsedMs = stopwatch();
    reader.push(Buffer.from('data: '));
    for (let i = 0; i < 1_024; i++) reader.push(piece);
    reader.push(Buffer.from('\n\n'));
    expect(events[0]?.data.length).toBe(8_192 * 1_024);
    expect(elapsedMs()).toBeLessThan(1_500);
  });
});
