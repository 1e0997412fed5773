import { describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { type DemoProvider, startDemoProvider } from './demo-provider.ts';
import {
  ada,
  adasBrowser,
  begin,
  bob,
  bobsBrowser,
  finish,
  granted,
  type LinkingKit,
  linkedServer,
  refusedCallback,
  startLinking,
} from './linking-kit.ts';

async function start(): Promise<{ provider: DemoProvider; kit: LinkingKit }> {
  const provider = await startDemoProvider();
  const server = linkedServer(provider.mcpUrl);
  return { provider, kit: await startLinking({ notes: server, other: server }) };
}

/** Nobody has an account linked, and no code was redeemed. */
async function expectNothingLinked({
  provider,
  kit,
}: {
  provider: DemoProvider;
  kit: LinkingKit;
}): Promise<void> {
  for (const owner of [ada, bob]) expect(await kit.grants.list(owner)).toEqual([]);
  expect(provider.issuer.to('/token')).toEqual([]);
}

describe('a flow belongs to who began it (R45)', () => {
  test.each([
    ['another user, in another browser', { owner: bob, browser: bobsBrowser }],
    ['another user, in the same browser', { owner: bob }],
    ['the same user, in another browser', { browser: bobsBrowser }],
    ['the same user, at another server', { server: 'other' }],
  ])('the provider’s answer is refused to %s, and is used up', async (_who, visitor) => {
    const world = await start();
    const redirect = await world.provider.consent(await begin(world.kit));
    expect(await refusedCallback(world.kit, redirect, visitor)).toBe('flow_of_another');
    expect(await refusedCallback(world.kit, redirect)).toBe('flow_unknown');
    await expectNothingLinked(world);
  });

  test('Ada’s answer, opened by Bob, links nothing to Bob: nor does his own code under her state', async () => {
    const world = await start();
    const hers = await world.provider.consent(await begin(world.kit));
    const his = await world.provider.consent(
      await begin(world.kit, { owner: bob, browser: bobsBrowser }),
      'bob@notes.example',
    );
    const mixed = new URL(hers);
    mixed.searchParams.set('code', his.searchParams.get('code') ?? '');
    expect(await refusedCallback(world.kit, mixed, { owner: bob, browser: bobsBrowser })).toBe(
      'flow_of_another',
    );
    await expectNothingLinked(world);
  });

  test('a code of another flow of one’s own does not fit: PKCE holds', async () => {
    const world = await start();
    const first = await world.provider.consent(await begin(world.kit));
    const second = await world.provider.consent(await begin(world.kit));
    const mixed = new URL(first);
    mixed.searchParams.set('code', second.searchParams.get('code') ?? '');
    expect(await refusedCallback(world.kit, mixed)).toBe('provider_refused');
    expect(await world.kit.grants.list(ada)).toEqual([]);
  });

  test('a state is good once, even when both come at the same time', async () => {
    const { provider, kit } = await start();
    const redirect = await provider.consent(await begin(kit));
    const outcomes = await Promise.all([refusedCallback(kit, redirect), refusedCallback(kit, redirect)]);
    expect(outcomes.sort()).toEqual(['answered', 'flow_unknown']);
    expect(provider.issuer.to('/token')).toHaveLength(1);
    expect(await refusedCallback(kit, redirect)).toBe('flow_unknown');
  });

  test('a state is good for ten minutes', async () => {
    const world = await start();
    const redirect = await world.provider.consent(await begin(world.kit));
    world.kit.clock.advance(10 * 60_000);
    expect(await refusedCallback(world.kit, redirect)).toBe('flow_unknown');
    await expectNothingLinked(world);
  });

  test.each([
    ['none', (url: URL) => url.searchParams.delete('state'), 'answer_invalid'],
    ['two', (url: URL) => url.searchParams.append('state', 'x'), 'answer_invalid'],
    ['one nobody gave out', (url: URL) => url.searchParams.set('state', 'x'.repeat(43)), 'flow_unknown'],
    ['an endless one', (url: URL) => url.searchParams.set('state', 'x'.repeat(100_000)), 'flow_unknown'],
  ] as const)('a callback with a state that is %s is refused', async (_what, change, reason) => {
    const world = await start();
    const redirect = await world.provider.consent(await begin(world.kit));
    change(redirect);
    expect(await refusedCallback(world.kit, redirect)).toBe(reason);
    await expectNothingLinked(world);
  });

  test('only who began it can say that this is the account, and once', async () => {
    const { provider, kit } = await start();
    const redirect = await provider.consent(await begin(kit));
    const hers = { owner: ada, browser: adasBrowser, server: 'notes' };
    const { flow } = granted(await kit.engine.callback({ ...hers, url: redirect.href }));
    const his = await kit.engine.confirm({ owner: bob, browser: bobsBrowser, server: 'notes', flow });
    expect(his).toMatchObject({ ok: false, error: { reason: 'flow_of_another' } });
    expect(await kit.engine.confirm({ ...hers, flow })).toMatchObject({ error: { reason: 'flow_unknown' } });
    expect(await kit.grants.list(ada)).toEqual([]);
    expect(await kit.grants.list(bob)).toEqual([]);
  });

  test('a state does not confirm, and what confirms is no state', async () => {
    const { provider, kit } = await start();
    const hers = { owner: ada, browser: adasBrowser, server: 'notes' };
    const page = await begin(kit);
    const flow = page.searchParams.get('state') ?? '';
    expect(await kit.engine.confirm({ ...hers, flow })).toMatchObject({ error: { reason: 'flow_unknown' } });
    const redirect = await provider.consent(await begin(kit));
    const answered = granted(await kit.engine.callback({ ...hers, url: redirect.href }));
    const again = new URL(redirect);
    again.searchParams.set('state', answered.flow);
    expect(await refusedCallback(kit, again)).toBe('flow_unknown');
  });

  test('the database holds neither the state nor a token in the clear', async () => {
    const { provider, kit } = await start();
    const page = await begin(kit);
    const redirect = await provider.consent(page);
    const hers = { owner: ada, browser: adasBrowser, server: 'notes' };
    const answered = granted(await kit.engine.callback({ ...hers, url: redirect.href }));
    const rows = JSON.stringify(await kit.store.all('SELECT * FROM link_flows'));
    granted(await kit.engine.confirm({ ...hers, flow: answered.flow }));
    const grant = (await kit.grants.get(ada, 'notes'))?.grant;
    const secrets = [page.searchParams.get('state'), answered.flow, grant?.accessToken.reveal(), ada.subject];
    for (const secret of secrets) expect(rows).not.toContain(secret);
  });

  test('a flow sealed for one id does not open under another', async () => {
    const world = await start();
    const first = await world.provider.consent(await begin(world.kit));
    await begin(world.kit, { owner: bob, browser: bobsBrowser });
    await world.kit.store.run(
      'UPDATE link_flows SET sealed = (SELECT sealed FROM link_flows ORDER BY expires_at DESC, rowid DESC LIMIT 1)',
    );
    expect(await refusedCallback(world.kit, first, { owner: bob, browser: bobsBrowser })).toBe(
      'flow_unknown',
    );
    await expectNothingLinked(world);
  });

  test('nobody begins links without end', async () => {
    const { kit } = await start();
    for (let count = 0; count < 20; count += 1) await begin(kit);
    const more = await kit.engine.begin({ owner: ada, server: 'notes', browser: adasBrowser });
    expect(more).toMatchObject({ error: { reason: 'too_many' } });
    await begin(kit, { owner: bob, browser: bobsBrowser });
    kit.clock.advance(10 * 60_000);
    await begin(kit);
  });
});

describe('the answer comes from the provider that was asked (RFC 9207)', () => {
  test.each([
    ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
    ['a slash too many', (url: URL) => url.searchParams.set('iss', `${url.searchParams.get('iss')}/`)],
    ['no issuer, though it says that it names it', (url: URL) => url.searchParams.delete('iss')],
    ['two issuers', (url: URL) => url.searchParams.append('iss', 'https://evil.example')],
  ])('an answer that names %s is refused, before the code is sent anywhere', async (_what, change) => {
    const world = await start();
    const redirect = await world.provider.consent(await begin(world.kit));
    change(redirect);
    expect(await refusedCallback(world.kit, redirect)).toBe('answer_of_another');
    await expectNothingLinked(world);
  });

  test('an error under another issuer’s name is no answer either', async () => {
    const world = await start();
    const state = (await begin(world.kit)).searchParams.get('state') ?? '';
    const forged = `http://127.0.0.1/link/notes/callback?error=access_denied&state=${state}&iss=https%3A%2F%2Fevil.example`;
    expect(await refusedCallback(world.kit, forged)).toBe('answer_of_another');
  });

  test('two servers with different providers: the code of one never reaches the other', async () => {
    const [honest, other] = [await startDemoProvider(), await startDemoProvider()];
    const kit = await startLinking({ notes: linkedServer(honest.mcpUrl), other: linkedServer(other.mcpUrl) });
    const page = await begin(kit);
    const redirect = await honest.consent(page);
    const atOther = await begin(kit, { server: 'other' });
    const mixed = new URL(redirect);
    mixed.searchParams.set('state', atOther.searchParams.get('state') ?? '');
    expect(await refusedCallback(kit, mixed, { server: 'other' })).toBe('answer_of_another');
    expect(other.issuer.to('/token')).toEqual([]);
  });
});

describe('what a provider is sent', () => {
  test('never holds the token that the user came to the gateway with, nor who the user is there (R38)', async () => {
    const { provider, kit } = await start();
    const owner = { ...ada, token: new Secret('gateway.jwt.of-ada') };
    const grant = await finish(kit, await provider.consent(await begin(kit, { owner })), { owner });
    granted(await kit.engine.refresh('notes', grant));
    granted(await kit.engine.unlink(owner, 'notes'));
    const sent = [...provider.issuer.requests, ...provider.server.requests];
    expect(sent.length).toBeGreaterThan(8);
    for (const { url, headers, body } of sent) {
      const text = `${url}${JSON.stringify([...headers])}${body}`;
      for (const secret of ['gateway.jwt.of-ada', ada.issuer, ada.key]) expect(text).not.toContain(secret);
      expect([...headers.keys()].filter((name) => name.startsWith('x-cortex'))).toEqual([]);
    }
  });

  test('is told to nobody else: a user’s tokens go to their own grant alone', async () => {
    const { provider, kit } = await start();
    const hers = await finish(kit, await provider.consent(await begin(kit)));
    const bobs = { owner: bob, browser: bobsBrowser };
    const his = await finish(kit, await provider.consent(await begin(kit, bobs), 'bob@notes.example'), bobs);
    expect(his.accessToken.reveal()).not.toBe(hers.accessToken.reveal());
    expect((await kit.grants.get(ada, 'notes'))?.grant.accessToken.reveal()).toBe(hers.accessToken.reveal());
    granted(await kit.engine.unlink(bob, 'notes'));
    expect(await kit.grants.list(ada)).toHaveLength(1);
    expect(await kit.engine.unlink(bob, 'notes')).toMatchObject({ error: { reason: 'not_linked' } });
  });
});
