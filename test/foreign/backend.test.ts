import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { type ForeignBackend, startForeignBackend } from './start-backend.ts';

const audience = 'http://gateway.test/mcp';
const technicalToken = 'technical';
let issuer: TestIssuer;
let backend: ForeignBackend;

beforeAll(async () => {
  issuer = await createIssuer({ audience });
  backend = await startForeignBackend({ technicalToken, issuer: issuer.url, audience });
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await issuer.close();
});

async function call(
  token: string,
  method: string,
  params: object = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(`${backend.url}/api/cortex/backend`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-cortex-kind': 'tool',
    },
    body: JSON.stringify({ method, params }),
  });
  return { status: answer.status, body: await answer.json() };
}

test('the technical token lists and is refused elsewhere', async () => {
  expect(await call(technicalToken, 'list_tools')).toMatchObject({ status: 200 });
  expect(await call(technicalToken, 'list_orders')).toMatchObject({ status: 403 });
  expect(await call(technicalToken, 'list_resources')).toMatchObject({ status: 404 });
});

test('a good token of the issuer is accepted, and its subject is whose orders are listed', async () => {
  const token = await issuer.mint({ sub: 'ada', scope: 'orders:read' });
  expect(await call(token, 'list_orders')).toMatchObject({
    status: 200,
    body: { orders: [{ owner: 'ada' }] },
  });
});

test('tokens that are expired, for somebody else, of another issuer or tampered with are refused', async () => {
  const now = Math.floor(Date.now() / 1000);
  const good = await issuer.mint({ sub: 'ada', scope: 'orders:read' });
  const [head, , signature] = good.split('.');
  const payload = Buffer.from(JSON.stringify({ iss: issuer.url, aud: audience, sub: 'bob', exp: now + 60 }));
  await using other = await createIssuer({ audience });
  const bad = [
    await issuer.mint({ exp: now - 1 }),
    await issuer.mint({ aud: 'http://elsewhere.test/mcp' }),
    await issuer.mint({ iss: other.url }),
    await other.mint({ iss: issuer.url }),
    `${head}.${payload.toString('base64url')}.${signature}`,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload.toString('base64url')}.`,
    'not a token',
  ];
  for (const token of bad) expect(await call(token, 'list_orders')).toMatchObject({ status: 401 });
});

test('a rotated key is found', async () => {
  await issuer.rotate();
  const token = await issuer.mint({ sub: 'ada', scope: 'orders:read' });
  expect(await call(token, 'list_orders')).toMatchObject({ status: 200 });
});
