import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, basic, type Demo, resource, startDemo } from './demo-fixture.ts';

let demo: Demo;
let clientId: string;
let first: Answer;
beforeEach(async () => {
  demo = await startDemo();
  clientId = await demo.register();
  first = await demo.tokens(clientId);
});
afterEach(() => demo.server.close());

const refresh = (token: string, more: Record<string, string> = {}) =>
  demo.post('/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: token, ...more });
const isActive = async (token: string) => (await demo.post('/introspect', { token }, basic)).body.active;

describe('refresh tokens', () => {
  it('are changed at every use', async () => {
    const second = await refresh(first.text('refresh_token'));
    expect(second.status).toBe(200);
    expect(second.text('refresh_token')).not.toBe(first.text('refresh_token'));
    expect(second.text('access_token')).not.toBe(first.text('access_token'));
    expect((await refresh(second.text('refresh_token'))).status).toBe(200);
  });

  it('end the whole family when one is used twice', async () => {
    const second = await refresh(first.text('refresh_token'));
    expect((await refresh(first.text('refresh_token'))).body.error).toBe('invalid_grant');
    expect((await refresh(second.text('refresh_token'))).body.error).toBe('invalid_grant');
    expect(await isActive(second.text('access_token'))).toBe(false);
    expect(await isActive(first.text('access_token'))).toBe(false);
  });

  it('are remembered for so many uses, each still ending the family', async () => {
    const few = await startDemo({ limits: { maxRefreshTokensPerGrant: 3 } });
    const id = await few.register();
    const chain = [(await few.tokens(id)).text('refresh_token')];
    const use = (token: string | undefined) =>
      few.post('/token', { grant_type: 'refresh_token', client_id: id, refresh_token: token ?? '' });
    while (chain.length < 5) chain.push((await use(chain.at(-1))).text('refresh_token'));
    expect((await use(chain[0])).body.error).toBe('invalid_grant');
    chain.push((await use(chain.at(-1))).text('refresh_token'));
    expect((await use(chain.at(-3))).body.error).toBe('invalid_grant');
    expect((await use(chain.at(-1))).body.error).toBe('invalid_grant');
    few.server.close();
  });

  it('are worth nothing to another client, and the owner keeps them', async () => {
    const thief = await demo.register();
    expect((await refresh(first.text('refresh_token'), { client_id: thief })).body.error).toBe(
      'invalid_grant',
    );
    expect((await refresh(first.text('refresh_token'))).status).toBe(200);
  });

  it('die with the grant after 30 days', async () => {
    demo.clock.advance(30 * 24 * 3_600);
    expect((await refresh(first.text('refresh_token'))).body.error).toBe('invalid_grant');
  });

  it('are not issued to a client that registered without them', async () => {
    const id = await demo.register({ grant_types: ['authorization_code'] });
    expect((await demo.tokens(id)).body.refresh_token).toBeUndefined();
  });

  it('keep to the resource of the grant', async () => {
    const token = first.text('refresh_token');
    expect((await refresh(token, { resource: 'http://other.test/mcp' })).body.error).toBe('invalid_target');
    expect((await refresh(token, { resource: `${resource}?mode=search` })).status).toBe(200);
  });

  it('may ask for fewer scopes, never for more', async () => {
    const narrow = await demo.tokens(clientId, { scope: 'mcp:notes:read' });
    const more = await refresh(narrow.text('refresh_token'), { scope: 'mcp:notes:read mcp:notes:write' });
    expect(more.text('scope')).toBe('mcp:notes:read');
    const fewer = await refresh(first.text('refresh_token'), { scope: 'mcp:notes:read' });
    expect(fewer.text('scope')).toBe('mcp:notes:read');
    expect((await refresh(fewer.text('refresh_token'))).text('scope')).toContain('mcp:notes:write');
    const none = await refresh(more.text('refresh_token'), { scope: 'mcp:notes:write' });
    expect(none.body.error).toBe('invalid_scope');
  });
});

describe('plans', () => {
  it('are applied again at each refresh, up and down', async () => {
    expect(demo.server.setPlan('ada@example.com', 'pro')).toBe(true);
    const up = await refresh(first.text('refresh_token'));
    expect(up.text('scope')).toContain('mcp:billing:export');
    demo.server.setPlan('ada@example.com', 'free');
    const down = await refresh(up.text('refresh_token'));
    expect(down.text('scope')).not.toContain('mcp:billing:export');
  });

  it('give a client nothing that its user did not consent to', async () => {
    const narrow = await demo.tokens(clientId, { scope: 'mcp:notes:read' });
    demo.server.setPlan('ada@example.com', 'pro');
    expect((await refresh(narrow.text('refresh_token'))).text('scope')).toBe('mcp:notes:read');
  });

  it('are not changed for an unknown user or to an unknown plan', () => {
    expect(demo.server.setPlan('nobody@example.com', 'pro')).toBe(false);
    expect(demo.server.setPlan('ada@example.com', 'gold')).toBe(false);
  });
});

describe('reset', () => {
  it('forgets users and ends their grants', async () => {
    await demo.server.reset();
    expect(await isActive(first.text('access_token'))).toBe(false);
    expect((await refresh(first.text('refresh_token'))).body.error).toBe('invalid_grant');
    expect(demo.server.setPlan('ada@example.com', 'pro')).toBe(false);
  });
});
