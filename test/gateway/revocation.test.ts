import { Database } from 'bun:sqlite';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

const scope = 'mcp:test';
let one: TestIssuer;
let other: TestIssuer;
let running: RunningGateway;
/** Requests for exchanged tokens. */
let exchanges = 0;

beforeAll(async () => {
  one = await createIssuer({
    audience: canonicalUrl,
    algorithm: 'ES256',
    onToken() {
      exchanges += 1;
      return Response.json({
        access_token: `exchanged.${exchanges}.token`,
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        expires_in: 300,
      });
    },
  });
  other = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  running = await runGateway({
    issuer: one,
    backends: {
      notes: { tools: [{ name: 'run', scope }] },
      deeds: {
        tools: [{ name: 'run', scope }],
        config: { identity: 'exchange', token_audience: 'urn:deeds' },
      },
    },
    config: {
      auth: {
        issuers: [
          { url: one.url, exchange: { client_id: 'gateway', client_secret: 's' } },
          { url: other.url },
        ],
        challenge_scopes: [scope],
      },
    },
  });
});
afterAll(async () => {
  await running?.close();
  await one?.close();
  await other?.close();
});

const revoke = (input: Record<string, unknown>) =>
  running.operate('POST /revocations', { issuer: one.url, ...input });
const caller = (claims: Record<string, unknown>) => running.caller({ scope, ...claims });
const works = async (who: McpCaller) => (await who.tool('notes_run')).status === 200;
const nextSecond = () => Math.floor(running.clock.now() / 1_000) + 1;

describe('a revocation', () => {
  const kinds = [
    ['token', { jti: 'j-1' }, { jti: 'j-2' }, 'j-1'],
    ['session', { sid: 's-1' }, { sid: 's-2' }, 's-1'],
    ['subject', { sub: 'u-1' }, { sub: 'u-2' }, 'u-1'],
    ['client', { client_id: 'c-1' }, { client_id: 'c-2' }, 'c-1'],
    ['grant', { grant_id: 'g-1' }, { grant_id: 'g-2' }, 'g-1'],
  ] as const;

  test.each(kinds)(
    'of a %s refuses a token in use with the one answer for bad tokens, and no other',
    async (kind, meant, spared, value) => {
      const [revoked, neighbour] = [await caller(meant), await caller(spared)];
      expect([await works(revoked), await works(neighbour)]).toEqual([true, true]);
      expect(await revoke({ kind, value })).toMatchObject({ ok: true, value: { kind, replicas: 1 } });
      const answer = await revoked.tool('notes_run');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
      expect(await works(neighbour)).toBe(true);
      const refusal = running.logged.findLast(({ event }) => event === 'auth.refused');
      expect(refusal).toMatchObject({ reason: 'revoked', detail: kind, issuer: one.url });
    },
  );

  test('of a user lets a sign-in of the next second in, and none of the same', async () => {
    await revoke({ kind: 'subject', value: 'again' });
    expect(await works(await caller({ sub: 'again', iat: nextSecond() - 1 }))).toBe(false);
    expect(await works(await caller({ sub: 'again', iat: nextSecond() }))).toBe(true);
  });

  test('of one issuer cannot name another’s user, however it is asked for', async () => {
    const token = await other.mint({ sub: 'both', scope });
    const theirs = createCaller(token, async (request) => running.gateway.fetch(request));
    const ours = await caller({ sub: 'both' });
    expect([await works(theirs), await works(ours)]).toEqual([true, true]);
    await revoke({ kind: 'subject', value: 'both' });
    expect([await works(theirs), await works(ours)]).toEqual([true, false]);
    await revoke({ kind: 'issuer', before: nextSecond() - 1 });
    expect(await works(theirs)).toBe(true);
    expect(await works(await caller({ sub: 'anybody', iat: nextSecond() - 1 }))).toBe(false);
    expect(await works(await caller({ sub: 'anybody', iat: nextSecond() }))).toBe(true);
  });

  test('is in the audit under the operator’s name, with the pseudonym of the user and no id', async () => {
    const who = await caller({ sub: 'recorded', iat: nextSecond(), sid: 'secret-session' });
    await who.tool('notes_run');
    await revoke({ kind: 'subject', value: 'recorded' });
    await revoke({ kind: 'session', value: 'secret-session' });
    await vi.waitFor(() => {
      const records = auditOf(running).filter(({ action }) => action === 'revoke');
      const [ofUser, ofSession] = records.slice(-2);
      expect(ofUser).toMatchObject({
        kind: 'admin',
        actor: 'test',
        of: 'subject',
        outcome: 'ok',
        replicas: 1,
      });
      expect(ofUser?.user).toMatch(/^[\w-]{16,}$/);
      expect(ofSession).toMatchObject({ of: 'session' });
      expect(JSON.stringify(records)).not.toMatch(/recorded|secret-session/);
    });
  });

  const refused = [
    ['incomplete', { kind: 'nothing' }],
    ['incomplete', { kind: 'subject', value: '' }],
    ['incomplete', { kind: 'issuer', value: 'x' }],
    ['incomplete', { kind: 'issuer', issuer: undefined }],
    ['incomplete', { kind: 'subject', value: 'ada', before: 'yesterday' }],
    ['several_issuers', { kind: 'subject', value: 'ada', issuer: undefined }],
    ['unknown_issuer', { kind: 'subject', value: 'ada', issuer: 'https://elsewhere.example' }],
    ['value_refused', { kind: 'subject', value: 'x'.repeat(600) }],
  ] as const;
  test.each(refused)('is refused as %s where nothing sensible is named', async (reason, input) => {
    expect(await revoke(input)).toMatchObject({ ok: false, error: { reason } });
  });
});

describe('what was under way', () => {
  test('a request whose body comes after its user was revoked is not answered', async () => {
    const who = await caller({ sub: 'slow-body', iat: nextSecond() });
    const sent = running.backend('notes').callsOf('run').length;
    const body = Promise.withResolvers<string>();
    const params = {
      name: 'notes_run',
      arguments: {},
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    };
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call",'));
        controller.enqueue(Buffer.from(await body.promise));
        controller.close();
      },
    });
    const answer = who.send({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'notes_run',
      },
      body: stream,
    });
    await revoke({ kind: 'subject', value: 'slow-body', before: nextSecond() });
    body.resolve(`"params":${JSON.stringify(params)}}`);
    const response = await answer;
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(running.backend('notes').callsOf('run').length).toBe(sent);
  });

  test.each([
    ['answers no question', '"id":"q1","result":{"action":"accept"}}'],
    ['cancels no call', '"method":"notifications/cancelled","params":{"requestId":7}}'],
  ])('a message of the older protocol whose token was revoked while it came in %s', async (_what, rest) => {
    const sid = `slow ${rest}`;
    const who = await caller({ sub: 'slow-message', sid, iat: nextSecond() });
    const session = await who.initialize();
    const { promise, resolve } = Promise.withResolvers<string>();
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('{"jsonrpc":"2.0",'));
        controller.enqueue(Buffer.from(await promise));
        controller.close();
      },
    });
    const answer = who.send({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        'mcp-session-id': session.id,
      },
      body: stream,
    });
    await revoke({ kind: 'session', value: sid, before: nextSecond() });
    resolve(rest);
    const response = await answer;
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('a session of the older protocol is not opened for whoever was revoked meanwhile', async () => {
    const who = await caller({ sub: 'slow-session', iat: nextSecond() });
    const body = Promise.withResolvers<string>();
    const answer = who.send({
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(Buffer.from(await body.promise));
          controller.close();
        },
      }),
    });
    await revoke({ kind: 'subject', value: 'slow-session', before: nextSecond() });
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    body.resolve(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
    const response = await answer;
    expect(response.status).toBe(401);
    expect(response.headers.get('mcp-session-id')).toBeNull();
  });

  test('a call of either era is ended at its backend, too, and recorded as revoked', async () => {
    const signals: AbortSignal[] = [];
    const reached = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    running.backend('notes').answer('run', ({ signal }) => {
      reached[signals.push(signal) - 1]?.resolve();
      return new Promise(() => {});
    });
    const who = await caller({ sub: 'under-way', iat: nextSecond() });
    const session = await who.initialize();
    const answers = [who.tool('notes_run'), session.tool('notes_run')];
    await Promise.all(reached.map(({ promise }) => promise));
    const outcome = await revoke({ kind: 'subject', value: 'under-way', before: nextSecond() });
    expect(outcome).toMatchObject({ ok: true, value: { closed: { calls: 2 } } });
    for (const { status, error } of await Promise.all(answers)) {
      expect([status, error.code]).toEqual([401, -32000]);
    }
    await vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]));
    const records = await running.calls(2, ({ code }) => code === 'revoked');
    expect(records).toContainEqual(expect.objectContaining({ outcome: 'cancelled', tool: 'notes_run' }));
    running.backend('notes').answer('run', () => Response.json({}));
  });

  test('streams of both eras are closed', async () => {
    const who = await caller({ sub: 'listener', iat: nextSecond() });
    const modern = await who.listen({ toolsListChanged: true });
    const legacy = await (await who.initialize()).events();
    const outcome = await revoke({ kind: 'subject', value: 'listener', before: nextSecond() });
    expect(outcome).toMatchObject({ ok: true, value: { closed: { streams: 2 } } });
    await Promise.all([modern.rest(), legacy.rest()]);
    expect([modern.hasEnded, legacy.hasEnded]).toEqual([true, true]);
  });
});

describe('a token that was exchanged', () => {
  test('is kept for a user, and not for one who was revoked: it is asked for anew after the next sign-in', async () => {
    const token = { sub: 'exchanger', sid: 'first', iat: nextSecond() };
    const who = await caller(token);
    const before = exchanges;
    for (const _ of [1, 2]) expect((await who.tool('deeds_run')).isError).toBe(false);
    expect(exchanges).toBe(before + 1);
    await revoke({ kind: 'session', value: 'first', before: nextSecond() });
    expect((await who.tool('deeds_run')).status).toBe(401);
    expect(exchanges).toBe(before + 1);
  });
});

describe('erasing a user', () => {
  test('denies every token the user has, and leaves no name behind in the audit', async () => {
    const who = await caller({ sub: 'erased', iat: nextSecond() - 1 });
    await revoke({ kind: 'issuer', before: nextSecond() - 100 });
    const fresh = await caller({ sub: 'erased', iat: nextSecond() });
    expect(await works(fresh)).toBe(true);
    running.clock.advance(2_000);
    expect(await running.operate('POST /vault/erase', { user: 'erased', issuer: one.url })).toMatchObject({
      ok: true,
    });
    expect([await works(who), await works(fresh)]).toEqual([false, false]);
    const store = new Database(join(running.folder.path, 'state', 'cortex.db'), { readonly: true });
    const rows = store.query('SELECT value FROM revocations WHERE value = ?').all('erased');
    store.close();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(auditOf(running))).not.toContain('"erased"');
  });
});

test('a store that cannot be written is no acknowledgement: what was asked for is refused here, and that is said', async () => {
  await using broken = await runGateway({ backends: { notes: { tools: [{ name: 'run', scope }] } } });
  const who = await broken.caller({ sub: 'ada', scope });
  expect(await works(who)).toBe(true);
  const store = new Database(join(broken.folder.path, 'state', 'cortex.db'));
  store.run('DROP TABLE revocations');
  store.close();
  const outcome = await broken.operate('POST /revocations', { kind: 'subject', value: 'ada' });
  expect(outcome).toMatchObject({ ok: false, error: { reason: 'store_failed' } });
  expect(broken.logged).toContainEqual(
    expect.objectContaining({ event: 'revocation.not_kept', source: 'test' }),
  );
  expect(await works(who)).toBe(false);
  expect(await broken.operate('POST /vault/erase', { user: 'ada' })).toMatchObject({
    ok: false,
    error: { reason: 'not_denied' },
  });
});

test('what was revoked before a restart is refused after it, by a gateway of another configuration, too', async () => {
  const first = await runGateway({ backends: { notes: { tools: [{ name: 'run', scope }] } } });
  const token = await first.issuer.mint({ sub: 'ada', scope });
  expect(await first.operate('POST /revocations', { kind: 'subject', value: 'ada' })).toMatchObject({
    ok: true,
  });
  await first.gateway.drain(0);
  await first.gateway.close();
  const { folder, issuer, backends } = first;
  const second = await runGateway({
    folder,
    issuer,
    running: backends,
    backends: { notes: {} },
    config: { limits: { streams: 9 } },
  });
  const who = createCaller(token, async (request) => second.gateway.fetch(request));
  expect((await who.tool('notes_run')).status).toBe(401);
  await second.close();
  await issuer.close();
});

interface AuditRecord {
  readonly action?: unknown;
  readonly user?: unknown;
}

function auditOf({ folder }: RunningGateway): readonly AuditRecord[] {
  const dir = join(folder.path, 'state', 'audit');
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').filter(Boolean))
    .map((line) => JSON.parse(line));
}
