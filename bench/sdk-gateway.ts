import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { type AuthInfo, createMcpHandler, Server } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Pool } from 'undici-http';

/**
 * The rival: the SDK's `createMcpHandler` doing what the gateway does for one call. Token check (verified tokens are
 * remembered), scope check, a call to the same backend over a pool, an audit line with one fsync a batch.
 */
const { PORT, BACKEND, ISSUER, AUDIENCE, AUDIT_FILE } = process.env;
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));
const pool = new Pool(`${BACKEND}`, { connections: 256 });
const verified = new Map<string, AuthInfo>();
const tool = {
  name: 'docs_search',
  description: 'Searches.',
  inputSchema: { type: 'object' as const, properties: { query: { type: 'string' } }, required: ['query'] },
};

const file = openSync(`${AUDIT_FILE}`, 'a');
let lines: string[] = [];
const flush = (): void => {
  if (lines.length === 0) return;
  writeSync(file, lines.join(''));
  fsyncSync(file);
  lines = [];
};
const timer = setInterval(flush, 50);

function audit(fields: object): void {
  lines.push(`${JSON.stringify({ time: Date.now(), ...fields })}\n`);
  if (lines.length >= 256) flush();
}

async function authenticate(request: Request): Promise<AuthInfo | undefined> {
  const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) return undefined;
  const key = createHash('sha256').update(token).digest('base64');
  const known = verified.get(key);
  if (known?.expiresAt !== undefined && known.expiresAt > Date.now() / 1000) return known;
  const { payload } = await jwtVerify(token, keys, { issuer: `${ISSUER}`, audience: `${AUDIENCE}` });
  const info: AuthInfo = {
    token,
    clientId: String(payload.client_id),
    scopes: String(payload.scope).split(' '),
    expiresAt: payload.exp ?? 0,
    extra: { subject: payload.sub },
  };
  verified.set(key, info);
  return info;
}

const handler = createMcpHandler(({ authInfo }) => {
  const server = new Server({ name: 'sdk', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
  server.setRequestHandler('tools/call', async (request) => {
    const started = performance.now();
    if (authInfo === undefined || !authInfo.scopes.includes('mcp:bench'))
      throw new Error('a scope is missing');
    const answer = await pool.request({
      path: '/api/cortex/backend',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${authInfo.token}`,
        'x-cortex-kind': 'tool',
        'x-cortex-user-id': String(authInfo.extra?.subject),
        'x-cortex-scopes': authInfo.scopes.join(' '),
      },
      body: JSON.stringify({ method: 'search', params: request.params.arguments }),
    });
    const text = await answer.body.text();
    audit({ subject: authInfo.extra?.subject, tool: request.params.name, ms: performance.now() - started });
    return { content: [{ type: 'text', text }] };
  });
  return server;
});

const server = Bun.serve({
  port: Number(PORT),
  hostname: '127.0.0.1',
  routes: { '/healthz': new Response('ok') },
  async fetch(request) {
    const authInfo = await authenticate(request).catch(() => undefined);
    if (authInfo === undefined) return new Response('unauthorized', { status: 401 });
    return handler.fetch(request, { authInfo });
  },
});

process.on('SIGTERM', async () => {
  clearInterval(timer);
  await server.stop(true);
  flush();
  closeSync(file);
  process.exit(0);
});
