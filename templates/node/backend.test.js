import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// Starts the backend as it is deployed, with an issuer of the test's own.

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test' }] });
const issuer = createServer((_request, response) => response.end(jwks));
const audience = 'https://mcp.example.com/mcp';
let backend;
let url;
let iss;

before(async () => {
  await new Promise((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  iss = `http://127.0.0.1:${issuer.address().port}`;
  const env = { ...process.env, PORT: '0', CORTEX_TECHNICAL_TOKEN: 'technical', OAUTH_AUDIENCE: audience };
  backend = spawn(process.execPath, [fileURLToPath(new URL('backend.js', import.meta.url))], {
    env: { ...env, OAUTH_ISSUER: iss },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of backend.stdout) {
    text += chunk;
    const port = /listening on (\d+)/.exec(text)?.[1];
    if (!port) continue;
    url = `http://127.0.0.1:${port}/api/cortex/backend`;
    break;
  }
});
after(() => {
  backend.kill();
  issuer.close();
});

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function tokenOf(sub, more = {}) {
  const exp = Math.floor(Date.now() / 1000) + 300;
  const claims = { iss, sub, aud: audience, exp, scope: 'mcp:tasks:read mcp:tasks:write', ...more };
  const text = `${encoded({ alg: 'ES256', kid: 'test' })}.${encoded(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function call(token, method, params = {}) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ method, params }) });
  return { status: answer.status, body: await answer.json() };
}

test('the technical token lists the tools and runs none', async () => {
  assert.equal((await call('technical', 'list_tools')).body.tools.length, 3);
  assert.equal((await call('technical', 'list_tasks')).status, 403);
  assert.equal((await call('technical', 'list_prompts')).status, 404);
});

test('each user has their own tasks, and may not complete another’s', async () => {
  const [ada, bob] = [tokenOf('ada'), tokenOf('bob')];
  const { id } = (await call(ada, 'add_task', { title: 'Tea' })).body;
  assert.deepEqual((await call(bob, 'list_tasks')).body, { tasks: [] });
  assert.equal((await call(bob, 'complete_task', { id })).status, 403);
  assert.deepEqual((await call(ada, 'complete_task', { id })).body, { id, title: 'Tea', isDone: true });
});

test('a token that is expired, for somebody else, unsigned, short of a scope or no token is refused', async () => {
  const unsigned = `${encoded({ alg: 'none' })}.${tokenOf('ada').split('.')[1]}.`;
  const bad = [
    tokenOf('ada', { exp: 1 }),
    tokenOf('ada', { aud: 'https://elsewhere' }),
    unsigned,
    'nonsense',
  ];
  for (const token of bad) assert.equal((await call(token, 'list_tasks')).status, 401);
  const refused = await call(tokenOf('ada', { scope: 'mcp:tasks:read' }), 'add_task', { title: 'Tea' });
  assert.deepEqual([refused.status, refused.body.required], [403, 'mcp:tasks:write']);
});
