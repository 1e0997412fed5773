import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BackendFailureReason } from '#backends/backend.ts';
import { failureKinds } from '#backends/failures.ts';
import { okAnswer, startRawServer } from '../outbound/raw-server.ts';
import { connect, context, search } from './setup.ts';

function status(code: number, body: string, headers = ''): string {
  return `HTTP/1.1 ${code} X\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

interface Case {
  readonly title: string;
  readonly answer: string | ((socket: Socket) => void);
  readonly expected: object;
}

const cases: readonly Case[] = [
  {
    title: '401: the token was not accepted, whatever else it says',
    answer: status(401, '{"error":"stack at /srv/app.js:7"}'),
    expected: { reason: 'token_refused', message: 'The backend did not accept the token.', body: undefined },
  },
  {
    title: '403 with a required scope',
    answer: status(403, '{"error":"needs more","required":"mcp:docs:write"}'),
    expected: { reason: 'scope_missing', requiredScopes: ['mcp:docs:write'] },
  },
  {
    title: '403 with several required scopes',
    answer: status(403, '{"required":["a","b"]}'),
    expected: { reason: 'scope_missing', requiredScopes: ['a', 'b'] },
  },
  {
    title: '403 with a required scope that is none',
    answer: status(403, '{"error":"no","required":"\\r\\nx"}'),
    expected: { reason: 'denied', requiredScopes: undefined, message: 'no' },
  },
  {
    title: '403 without a required scope, in the application’s own words',
    answer: status(403, '{"error":"only the owner may do this"}'),
    expected: { reason: 'denied', message: 'only the owner may do this', requiredScopes: undefined },
  },
  {
    title: '403 without JSON',
    answer: status(403, 'Forbidden'),
    expected: { reason: 'denied', message: 'The application does not allow this.' },
  },
  ...[400, 404, 409, 422].map((code) => ({
    title: `${code} with the application’s own words and the whole body`,
    answer: status(code, '{"error":"no such note","field":"id"}'),
    expected: {
      reason: 'invalid',
      message: 'no such note',
      body: { error: 'no such note', field: 'id' },
      status: code,
    },
  })),
  {
    title: 'another 4xx with a page of HTML',
    answer: status(405, '<html>nginx</html>'),
    expected: { reason: 'invalid', message: 'The application did not accept the request.', body: undefined },
  },
  {
    title: '429 with seconds',
    answer: status(429, '{"error":"slow down"}', 'Retry-After: 7\r\n'),
    expected: { reason: 'rate_limited', retryAfterSeconds: 7, message: 'slow down. Try again in 7 s.' },
  },
  {
    title: '429 with a date',
    answer: status(429, '', `Retry-After: ${new Date(Date.now() - 5_000).toUTCString()}\r\n`),
    expected: { reason: 'rate_limited', retryAfterSeconds: 0 },
  },
  {
    title: '429 with nonsense',
    answer: status(429, '', 'Retry-After: soon\r\n'),
    expected: { reason: 'rate_limited', retryAfterSeconds: undefined },
  },
  {
    title: '429 that asks for a year gets a day',
    answer: status(429, '', 'Retry-After: 31536000\r\n'),
    expected: { reason: 'rate_limited', retryAfterSeconds: 86_400 },
  },
  {
    title: '500 with an error is the application speaking',
    answer: status(500, '{"error":"the index is being rebuilt"}'),
    expected: { reason: 'business_error', message: 'the index is being rebuilt' },
  },
  { title: '500 without an error', answer: status(500, '{}'), expected: { reason: 'failed', status: 500 } },
  { title: '500 with HTML', answer: status(500, '<html>'), expected: { reason: 'failed' } },
  {
    title: '503 keeps its delay',
    answer: status(503, '{"error":"maintenance"}', 'Retry-After: 30\r\n'),
    expected: {
      reason: 'failed',
      message: 'The backend failed (status 503): maintenance',
      retryAfterSeconds: 30,
      body: undefined,
    },
  },
  {
    title: 'a redirect',
    answer: status(302, '', 'Location: /login\r\n'),
    expected: { reason: 'failed', status: 302 },
  },
  { title: '200 with HTML', answer: okAnswer('<html>'), expected: { reason: 'not_json' } },
  { title: '200 with nothing', answer: okAnswer(''), expected: { reason: 'not_json' } },
  { title: '204', answer: 'HTTP/1.1 204 No Content\r\n\r\n', expected: { reason: 'not_json' } },
  {
    title: 'JSON cut at a close',
    answer: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{"a":'),
    expected: { reason: 'not_json' },
  },
  {
    title: 'what is not UTF-8',
    answer: (socket) =>
      socket.write(
        Buffer.concat([
          Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'),
          Buffer.from([0x22, 0xff, 0x22]),
        ]),
      ),
    expected: { reason: 'not_json' },
  },
  {
    title: 'more than the cap (R32)',
    answer: okAnswer(`"${'x'.repeat(200_000)}"`),
    expected: { reason: 'too_large' },
  },
  { title: 'a reset', answer: (socket) => socket.resetAndDestroy(), expected: { reason: 'unreachable' } },
  { title: 'garbage', answer: 'garbage\r\n\r\n', expected: { reason: 'unreachable' } },
  { title: 'silence (R15)', answer: () => {}, expected: { reason: 'timeout' } },
];

const seen = new Set<string>();

describe('what a status or a fault becomes', () => {
  test.each(cases)('$title', async ({ answer, expected }) => {
    await using server = await startRawServer((socket) => {
      if (typeof answer === 'string') socket.write(answer);
      else answer(socket);
    });
    await using connected = connect(server.url, { timeoutMs: 300 });
    const made = await connected.backend.call(search(), context());
    expect(made.outcome).toMatchObject({ ok: false, error: expected });
    expect(made.mode).toBe('propagate');
    if (made.outcome.ok) return;
    seen.add(made.outcome.error.reason);
    expect(made.outcome.error.message).not.toMatch(/127\.0\.0\.1|ECONN|UND_ERR|at \//);
  });

  test('a refused connection, without its address', async () => {
    const server = await startRawServer(() => {});
    await server[Symbol.asyncDispose]();
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context());
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
  });

  test('a cancelled call (R14)', async () => {
    const stop = new AbortController();
    await using server = await startRawServer(() => stop.abort());
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context({ signal: stop.signal }));
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    const later = await connected.backend.call(search(), context({ signal: stop.signal }));
    expect(later.outcome).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    expect(server.connections()).toBe(1);
  });
});

describe('docs/backend-errors.md', () => {
  test('lists every reason with the words and the counting of the code, and no other', async () => {
    const page = await Bun.file(join(import.meta.dirname, '..', '..', 'docs', 'backend-errors.md')).text();
    const rows = [...page.matchAll(/^\| `(\w+)` +\| (.+?) +\| (.+?) +\| (yes|no) +\|$/gm)];
    const documented = rows.map(([, reason, , message, counted]) => [reason, message, counted === 'yes']);
    const coded = Object.entries(failureKinds).map(([reason, kind]) => [reason, kind.message, kind.counts]);
    expect(documented).toEqual(coded);
  });

  test('every reason that an answer can cause was caused above', () => {
    const elsewhere: readonly BackendFailureReason[] = [
      'breaker_open',
      'busy',
      'cancelled',
      'identity_refused',
      'identity_unavailable',
      'link_required',
      'signature_refused',
      'state_lost',
      'unsupported',
    ];
    const others = Object.keys(failureKinds).filter((reason) => !elsewhere.some((name) => name === reason));
    expect([...seen].sort()).toEqual(others.sort());
  });
});
