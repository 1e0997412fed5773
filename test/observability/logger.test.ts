import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger, type LogLevel } from '#observability/logger.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), monotonic: () => 0 };

function logOf(format: 'text' | 'json', level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { lines, log: createLogger({ level, format, write: (line) => lines.push(line), clock }) };
}

test('text is a time, a level, the event and its fields', () => {
  const { log, lines } = logOf('text');
  log.info('backend.poll_failed', {
    backend: 'notes',
    attempts: 3,
    stale: true,
    absent: undefined,
    why: 'no route',
  });
  expect(lines).toEqual([
    '2026-01-02T03:04:05.006Z INFO  backend.poll_failed backend=notes attempts=3 stale=true why="no route"\n',
  ]);
});

test('JSON is one object a line', () => {
  const { log, lines } = logOf('json');
  log.error('audit.write_failed', { code: 'ENOSPC', pending: 7 });
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    time: '2026-01-02T03:04:05.006Z',
    level: 'error',
    event: 'audit.write_failed',
    code: 'ENOSPC',
    pending: 7,
  });
});

test('events below the level are not written', () => {
  const { log, lines } = logOf('text', 'warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(lines.map((line) => line.split(/\s+/)[2])).toEqual(['c', 'd']);
});

describe('log injection', () => {
  const attack =
    'x\n2026-01-02T03:04:05.006Z INFO  admin.granted user=eve\r\u001b[2J\u0085\u2028\u202e\u007f\u0000';

  test.each(['text', 'json'] as const)(
    '%s: a hostile value, key or event cannot start a line or move the cursor',
    (format) => {
      const { log, lines } = logOf(format);
      log.info(attack, { value: attack, [attack]: 'v' });
      expect(lines).toHaveLength(1);
      expect(lines[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    },
  );

  test('text: a value cannot look like further fields', () => {
    const { log, lines } = logOf('text');
    log.info('call', { agent: 'claude outcome=ok', 'a b': '"' });
    expect(lines[0]).toContain('agent="claude outcome=ok" "a b"="\\""');
  });

  test('JSON: a field cannot replace the time, level or event', () => {
    const { log, lines } = logOf('json');
    log.warn('real', { event: 'fake', level: 'debug', time: 'never' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'real', level: 'warn', field_event: 'fake' });
  });

  test('JSON keeps every value exactly, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { log, lines } = logOf('json');
        log.info('e', { value });
        expect(JSON.parse(lines[0] ?? '').value).toBe(value);
      }),
    );
  });
});

test.each(['text', 'json'] as const)('%s: a huge value is cut', (format) => {
  const { log, lines } = logOf(format);
  log.info('e', { value: 'x'.repeat(1_000_000) });
  expect(lines[0]?.length).toBeLessThan(5_000);
  expect(lines[0]).toContain('(1000000 characters)');
});
