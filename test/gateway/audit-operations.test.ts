import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const tokens = {
  dashboard: { token: 'dashboard-token-0123456789-0123456789', role: 'read' },
  pager: { token: 'pager-token-0123456789-0123456789-012', role: 'operate' },
  privacy: { token: 'privacy-token-0123456789-0123456789-0', role: 'reveal' },
};

let running: RunningGateway;
let origin = '';
let isHanging = false;
let calls = 0;
const posted: string[] = [];
const webhook = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    if (isHanging) return new Promise<Response>(() => {});
    posted.push(await request.text());
    return new Response('taken');
  },
});
beforeAll(async () => {
  running = await runGateway({
    backends: { notes: { tools: [{ name: 'list', scope: 'mcp:test' }] } },
    config: {
      admin: { listen: '127.0.0.1:0', tokens },
      audit: { stdout: true, anchors: { webhook: { url: `${webhook.url}anchors` } } },
    },
  });
  origin = running.listenAdmin();
});
afterAll(async () => {
  await running.close();
  await webhook.stop(true);
});

async function ask(who: keyof typeof tokens, path: string, body?: JsonObject) {
  const response = await fetch(`${origin}/admin${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${tokens[who].token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!isJsonObject(answer)) throw new Error('no object');
  return { status: response.status, body: answer };
}
async function pseudonymOf(sub: string): Promise<string> {
  const caller = await running.caller({ sub, scope: 'mcp:test' });
  calls += 1;
  await caller.tool('notes_list');
  const records = await running.calls(calls, (record) => record.tool === 'notes_list');
  return String(records.at(-1)?.user);
}
const reveals = () => running.acts().filter(({ kind }) => kind === 'reveal');

describe('revealing over the operators’ listener', () => {
  test('takes the role reveal: with less nobody is named, and the attempt is recorded', async () => {
    const user = await pseudonymOf('ada');
    for (const who of ['dashboard', 'pager'] as const) {
      const { status, body } = await ask(who, '/audit/reveal', { user, reason: 'curious' });
      expect({ status, body }).toMatchObject({ status: 403, body: { reason: 'role_refused' } });
      expect(JSON.stringify(body)).not.toContain('ada');
    }
    expect(reveals()).toEqual([]);
    expect(running.acts().filter(({ action }) => action === 'admin.refused')).toMatchObject([
      { actor: 'dashboard', operation: 'POST /audit/reveal' },
      { actor: 'pager', operation: 'POST /audit/reveal' },
    ]);
  });

  test('takes a reason, names the person, and records who asked under the token’s name', async () => {
    const user = await pseudonymOf('bob');
    expect(await ask('privacy', '/audit/reveal', { user })).toMatchObject({
      status: 409,
      body: { reason: 'reason_needed' },
    });
    expect(await ask('privacy', '/audit/reveal', { user, reason: ['a', 'list'] })).toMatchObject({
      status: 409,
    });
    expect(reveals()).toEqual([]);
    expect(await ask('privacy', '/audit/reveal', { user, reason: 'ticket 7', actor: 'somebody' })).toEqual({
      status: 200,
      body: { user, issuer: running.issuer.url, subject: 'bob' },
    });
    expect(reveals()).toMatchObject([{ actor: 'privacy', user, reason: 'ticket 7', outcome: 'ok' }]);
  });
});

describe('the state of the audit', () => {
  test('is there for whoever may read, and says how sending goes', async () => {
    const { status, body } = await ask('dashboard', '/audit');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      chain: expect.stringMatching(/^[0-9a-f]{12}$/),
      failing_since: null,
      lost: 0,
      anchors: [{ sink: 'webhook', waiting: 0, dropped: 0, failing_since: null }],
    });
    expect(Number(body.seq)).toBeGreaterThan(2);
  });

  test('a webhook that hangs holds up no call', async () => {
    isHanging = true;
    const caller = await running.caller({ sub: 'cyd', scope: 'mcp:test' });
    const began = performance.now();
    for (let turn = 0; turn < 11; turn++) {
      const asked = Array.from({ length: 100 }, () => caller.tool('notes_list'));
      for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
    }
    console.log(`1,100 calls with a hanging webhook in ${Math.round(performance.now() - began)} ms`);
    const { body } = await ask('dashboard', '/audit');
    expect(Number(body.seq)).toBeGreaterThan(1_100);
    isHanging = false;
  }, 60_000);
});
