import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { type McpCaller, namesIn } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

const policies = ['hide', 'challenge', 'tool_error'] as const;
const gateways = new Map<string, RunningGateway>();
const callers = new Map<string, McpCaller>();
let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  for (const policy of policies) {
    const running = await runGateway({
      issuer,
      backends: {
        notes: {
          tools: [
            { name: 'open', scope: 'mcp:test' },
            { name: 'both', scope: ['mcp:test', 'mcp:more'] },
            { name: 'nobody' },
          ],
          prompts: [{ name: 'p', scope: 'mcp:more' }],
          resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:more' }],
        },
      },
      config: { auth: { missing_scope: policy, scope_implies: { 'mcp:admin': ['mcp:test', 'mcp:more'] } } },
    });
    running
      .backend('notes')
      .answer('open', () => Response.json({ error: 'no', required: 'mcp:extra' }, { status: 403 }));
    gateways.set(policy, running);
    callers.set(policy, await running.caller({ scope: 'mcp:test' }));
  }
});
afterAll(async () => {
  for (const running of gateways.values()) await running.close();
  await issuer?.close();
});
function under(policy: string): McpCaller {
  const caller = callers.get(policy);
  if (caller === undefined) throw new Error(policy);
  return caller;
}

describe.each(policies)('missing_scope: %s (R36)', (policy) => {
  test('lists what the scopes open and nothing more', async () => {
    expect(
      namesIn(await under(policy).modern('tools/list'), 'tools').filter((name) => name.startsWith('notes_')),
    ).toEqual(['notes_get_help', 'notes_open']);
  });

  test('keeps what names no scope unknown to everyone', async () => {
    const answer = await under(policy).tool('notes_nobody');
    expect(answer.error).toEqual({ code: -32602, message: 'Unknown tool: notes_nobody' });
  });

  test('counts what a scope implies', async () => {
    const admin = await gateways.get(policy)?.caller({ scope: 'mcp:admin' });
    expect((await admin?.modern('prompts/list'))?.result.prompts).toEqual([{ name: 'notes_p' }]);
  });

  test('writes the reason and the scopes into the audit, whatever the caller reads', async () => {
    await under(policy).tool('notes_both');
    const [record] = (await gateways.get(policy)?.calls(1, ({ tool }) => tool === 'notes_both')) ?? [];
    expect(record).toMatchObject({
      code: 'scope_missing',
      outcome: policy === 'tool_error' ? 'error' : 'refused',
      scopes: ['mcp:test', 'mcp:more'],
    });
  });
});

const metadata = 'resource_metadata="http://127.0.0.1:3213/.well-known/oauth-protected-resource/mcp';

test('challenge: a tool is answered 403 with every scope of the operation, and the metadata of the very URL that was used', async () => {
  for (const ask of [under('challenge').tool, (await under('challenge').initialize()).tool]) {
    const answer = await ask('notes_both', {}, { search: '?mode=search' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", error_description="The access token lacks a scope that this request needs.", ${metadata}?mode=search", scope="mcp:test mcp:more"`,
    );
    expect(answer.error).toEqual({
      code: -32000,
      message: 'Insufficient scope',
      data: { scopes: ['mcp:test', 'mcp:more'] },
    });
  }
});

test('challenge: prompts and resources too', async () => {
  const caller = under('challenge');
  for (const answer of [
    await caller.modern('prompts/get', { name: 'notes_p' }),
    await caller.modern('resources/read', { uri: 'note://1' }),
  ]) {
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('scope="mcp:more"');
  }
});

test('challenge: a scope that the backend names is added to those of the tool', async () => {
  const answer = await under('challenge').tool('notes_open');
  expect(answer.status).toBe(403);
  expect(answer.headers.get('www-authenticate')).toContain('scope="mcp:test mcp:extra"');
});

test('challenge: once the answer streams there is no head left, so it is an isError result', async () => {
  const running = gateways.get('challenge');
  const { promise, resolve } = Promise.withResolvers<Response>();
  running?.backend('notes').answer('open', () => promise);
  const answering = under('challenge').modernStream('tools/call', { name: 'notes_open' });
  await Bun.sleep(20);
  running?.clock.advance(11_000);
  const stream = await answering;
  expect(stream.response.status).toBe(200);
  resolve(Response.json({ error: 'no', required: 'mcp:extra' }, { status: 403 }));
  const [final] = await stream.rest();
  expect(JSON.stringify(final)).toContain('This needs a scope that your token lacks: mcp:test mcp:extra');
});

test.each(['hide', 'tool_error'])(
  '%s: a scope that the backend names is an isError result with all of them',
  async (policy) => {
    const answer = await under(policy).tool('notes_open');
    expect([answer.status, answer.isError]).toEqual([200, true]);
    expect(answer.said).toBe('This needs a scope that your token lacks: mcp:test mcp:extra');
    expect(JSON.stringify(answer.result._meta)).toContain(
      '"reason":"scope_missing","requiredScopes":["mcp:test","mcp:extra"]',
    );
  },
);

test('tool_error: a tool is an isError result, prompts and resources stay unknown', async () => {
  const caller = under('tool_error');
  const answer = await caller.tool('notes_both');
  expect([answer.status, answer.isError]).toEqual([200, true]);
  expect(answer.said).toContain('mcp:test mcp:more');
  expect((await caller.modern('prompts/get', { name: 'notes_p' })).error.message).toBe(
    'Unknown prompt: notes_p',
  );
  expect((await caller.modern('resources/read', { uri: 'note://1' })).error.message).toBe(
    'Resource not found',
  );
});
