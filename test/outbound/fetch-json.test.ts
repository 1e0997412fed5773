import { describe, expect, test } from 'vitest';
import { createFetchJson, createFetchJsonDocument } from '#outbound/fetch-json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { okAnswer, startRawServer } from './raw-server.ts';

async function fetchFrom(answer: string, signal?: AbortSignal) {
  await using server = await startRawServer((socket) => socket.write(answer));
  const outbound = createOutbound();
  const result = await createFetchJson(outbound)(`${server.url}/jwks`, signal);
  await outbound.close();
  return { result, received: server.received() };
}

describe('createFetchJson', () => {
  test('gets a document without credentials', async () => {
    const { result, received } = await fetchFrom(okAnswer('{"keys":[]}'));
    expect(result).toEqual({ ok: true, value: { keys: [] } });
    expect(received).toMatch(/^GET \/jwks HTTP/);
    expect(received).not.toMatch(/authorization|cookie/i);
  });

  test.each(['application/jwk-set+json', 'application/json; charset=utf-8'])('takes %s', async (type) => {
    const { result } = await fetchFrom(okAnswer('{}', `Content-Type: ${type}\r\n`));
    expect(result.ok).toBe(true);
  });

  test.each([
    ['another content type', okAnswer('{}', 'Content-Type: text/html\r\n'), 'content type'],
    ['no content type', okAnswer('{}', ''), 'content type'],
    ['what is not JSON', okAnswer('<html>'), 'not JSON'],
    ['an error status', 'HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}', 'status 404'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', 'status 302'],
    ['more than 256 KB', okAnswer(`"${'x'.repeat(300_000)}"`), 'too_large'],
  ])('refuses %s', async (_title, answer, cause) => {
    const { result } = await fetchFrom(answer);
    expect(result.ok ? '' : result.error).toContain(cause);
  });

  test('stops with its signal', async () => {
    const { result } = await fetchFrom(okAnswer('{}'), AbortSignal.abort());
    expect(result.ok ? '' : result.error).toContain('cancelled');
  });
});

describe('createFetchJsonDocument', () => {
  test.each([
    ['max-age=600', 600],
    ['public, MAX-AGE = "60"', 60],
    ['max-age=0', 0],
    ['no-store', 0],
    ['max-age=600, no-cache', 0],
    ['s-maxage=600', undefined],
    ['max-age=soon', undefined],
    ['x-max-age=5', undefined],
    [undefined, undefined],
  ])('says for how long %s lets a document be kept', async (value, maxAgeSeconds) => {
    const header = value === undefined ? '' : `Cache-Control: ${value}\r\n`;
    await using server = await startRawServer((socket) =>
      socket.write(okAnswer('{"a":1}', `Content-Type: application/json\r\n${header}`)),
    );
    const outbound = createOutbound();
    const fetched = await createFetchJsonDocument(outbound)(`${server.url}/client.json`);
    await outbound.close();
    expect(fetched).toEqual({ ok: true, value: { body: { a: 1 }, maxAgeSeconds } });
  });
});
