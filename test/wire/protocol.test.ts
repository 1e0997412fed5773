import { describe, expect, test } from 'vitest';
import {
  allRevisions,
  isLegacyRevision,
  isLogLevel,
  isModernRevision,
  logLevels,
  passesLevel,
} from '#wire/protocol.ts';
import { sseHeaders, sseKeepAlive, sseMessage } from '#wire/sse.ts';

describe('revisions', () => {
  test('belong to exactly one era; what is unknown belongs to none', () => {
    expect(allRevisions).toEqual(['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']);
    for (const revision of allRevisions)
      expect(isModernRevision(revision)).not.toBe(isLegacyRevision(revision));
    for (const revision of ['2024-11-05', '2031-01-01', '', '2026-07-28 ']) {
      expect(isModernRevision(revision) || isLegacyRevision(revision)).toBe(false);
    }
  });
});

describe('log levels', () => {
  test('pass from their threshold on; an unknown one counts as info', () => {
    expect(logLevels.filter((level) => passesLevel(level, 'warning'))).toEqual([
      'warning',
      'error',
      'critical',
      'alert',
      'emergency',
    ]);
    expect([passesLevel('odd', 'info'), passesLevel('odd', 'notice'), passesLevel('debug', 'debug')]).toEqual(
      [true, false, true],
    );
    expect([isLogLevel('alert'), isLogLevel('loud'), isLogLevel(undefined)]).toEqual([true, false, false]);
  });
});

describe('an event stream (R13)', () => {
  test('may not be buffered, cached or changed on the way', () => {
    expect(sseHeaders).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(sseKeepAlive).toMatch(/^:.*\n\n$/);
  });

  test.each([
    ['{"a":1}', 'event: message\ndata: {"a":1}\n\n'],
    ['{\n"a":1\r\n,"b"\r:2}', 'event: message\ndata: {\ndata: "a":1\ndata: ,"b"\ndata: :2}\n\n'],
  ])('frames %j, so that no line of it can pass for another event', (json, event) => {
    expect(sseMessage(json)).toBe(event);
  });
});
