import { afterAll, beforeAll, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

// Starts the backend as it is deployed, with an issuer of the test's own.

const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256' };
const issuer = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ keys: [jwk] }) });
const audience = 'https://mcp.example.com/mcp';
let url = '';
let backend: Bun.Subprocess;

beforeAll(async () => {
  const env = { ...process.env, PORT: '0', CORTEX_TECHNICAL_TOKEN: 'technical', OAUTH_AUDIENCE: audience };
  const started = Bun.spawn(['bun', `${import.meta.dir}/backend.ts`], {
    env: { ...env, OAUTH_ISSUER: `http://127.0.0.1:${issuer.port}` },
    stdout: 'pipe',
  });
  backend = started;
  let text = '';
  for await (const chunk of started.stdout) {
    text += new TextDecoder().decode(chunk);
    const port = /listening on (\d+)/.exec(text)?.[1];
    if (port === undefined) continue;
    url = `http://127.0.0.1:${port}/api/cortex/backend`;
    break;
  }
});
afterAll(async () => {
  backend.kill();
  await issuer.stop(true);
});

function tokenOf(sub: string, scope = 'mcp:tasks:read mcp:tasks:write', aud = audience, lives = '5m') {
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .setIssuer(`http://127.0.0.1:${issuer.port}`)
    .setSubject(sub)
    .setAudience(aud)
    .setExpirationTime(lives)
    .sign(privateKey);
}

async function call(token: string, method: string, params: object = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ method, params }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test('the technical token lists the tools and runs none', async () => {
  expect((await call('technical', 'list_tools')).body.tools).toHaveLength(3);
  expect((await call('technical', 'list_tasks')).status).toBe(403);
  expect((await call('technical', 'list_prompts')).status).toBe(404);
});

test('each user has their own tasks, and may not complete another’s', async () => {
  const [ada, bob] = await Promise.all([tokenOf('ada'), tokenOf('bob')]);
  const { id } = (await call(ada, 'add_task', { title: 'Tea' })).body;
  expect((await call(bob, 'list_tasks')).body).toEqual({ tasks: [] });
  expect((await call(bob, 'complete_task', { id })).status).toBe(403);
  expect((await call(ada, 'complete_task', { id })).body).toEqual({ id, title: 'Tea', isDone: true });
});

test('a token that is expired, for somebody else, short of a scope or no token is refused', async () => {
  expect((await call(await tokenOf('ada', undefined, undefined, '-1m'), 'list_tasks')).status).toBe(401);
  expect((await call(await tokenOf('ada', undefined, 'https://elsewhere'), 'list_tasks')).status).toBe(401);
  expect((await call('nonsense', 'list_tasks')).status).toBe(401);
  const refused = await call(await tokenOf('ada', 'mcp:tasks:read'), 'add_task', { title: 'Tea' });
  expect(refused).toMatchObject({ status: 403, body: { required: 'mcp:tasks:write' } });
});
