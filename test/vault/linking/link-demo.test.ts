import { describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { callServer, startDemoProvider } from './demo-provider.ts';
import { ada, adasBrowser, begin, finish, granted, linkedServer, startLinking } from './linking-kit.ts';
import { formOf } from './recorder.ts';

describe('linking at the demo authorization server (R45)', () => {
  test('introduces itself by its metadata document, and ends with a token that the server takes', async () => {
    const provider = await startDemoProvider();
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const page = await begin(kit);

    expect(page.origin).toBe(provider.issuer.origin);
    const asked = page.searchParams;
    expect(asked.get('client_id')).toBe(`${kit.gateway.origin}/.well-known/oauth-client/notes.json`);
    expect(asked.get('redirect_uri')).toBe(`${kit.gateway.origin}/link/notes/callback`);
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('resource')).toBe(provider.mcpUrl);
    expect(asked.get('scope')).toBe('mcp:notes:read');

    const redirect = await provider.consent(page);
    expect(redirect.searchParams.get('iss')).toBe(provider.issuer.origin);
    const grant = await finish(kit, redirect);
    expect(grant.scopes).toEqual(['mcp:notes:read']);
    expect(grant.issuer).toBe(provider.issuer.origin);
    expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);
    expect(formOf(provider.issuer.to('/token')[0]).get('resource')).toBe(provider.mcpUrl);
    expect(provider.issuer.to('/register')).toEqual([]);
  });

  test('registers where no metadata document is read, once for everybody', async () => {
    const provider = await startDemoProvider({ documents: false });
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const [first, second] = await Promise.all([begin(kit), begin(kit)]);
    const grant = await finish(kit, await provider.consent(first));
    expect(first.searchParams.get('client_id')).toBe(second.searchParams.get('client_id'));
    expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);
    const registered = provider.issuer.to('/register');
    expect(registered).toHaveLength(1);
    expect(JSON.parse(registered[0]?.body ?? '')).toMatchObject({
      client_name: 'Cortex',
      redirect_uris: [`${kit.gateway.origin}/link/notes/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      application_type: 'native',
    });
  });

  test('uses the client that the operator registered, with its secret', async () => {
    const secret = 'a-b_c.d+e/f';
    const clients = [
      {
        clientId: 'ours',
        name: 'Cortex',
        secret: new Secret(secret),
        redirectUris: ['http://127.0.0.1/link/notes/callback'],
        isResourceServer: true,
        exchangeAudiences: [],
      },
      {
        clientId: 'gateway',
        name: 'The server',
        secret: new Secret('gateway-secret'),
        redirectUris: [],
        isResourceServer: true,
        exchangeAudiences: [],
      },
    ];
    const provider = await startDemoProvider({ clients });
    const client = { id: 'ours', secret: new Secret(secret) };
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl, { client }) });
    const page = await begin(kit);
    expect(page.searchParams.get('client_id')).toBe('ours');
    const grant = await finish(kit, await provider.consent(page));
    expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);
    const authorization = provider.issuer.to('/token')[0]?.headers.get('authorization') ?? '';
    expect(atob(authorization.replace('Basic ', ''))).toBe(`ours:${encodeURIComponent(secret)}`);
  });

  test('refreshes with rotation, bound to the resource, and revokes both tokens when unlinked', async () => {
    const provider = await startDemoProvider();
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const grant = await finish(kit, await provider.consent(await begin(kit)));
    const fresh = granted(await kit.engine.refresh('notes', grant));
    expect(fresh.accessToken.reveal()).not.toBe(grant.accessToken.reveal());
    expect(fresh.refreshToken?.reveal()).not.toBe(grant.refreshToken?.reveal());
    expect(formOf(provider.issuer.to('/token')[1]).get('resource')).toBe(provider.mcpUrl);
    expect(fresh).toMatchObject({ issuer: grant.issuer, scopes: grant.scopes, linkedAt: grant.linkedAt });

    const stored = await kit.grants.get(ada, 'notes');
    expect(await kit.grants.replace(ada, 'notes', stored?.generation ?? 0, fresh)).toBe(true);
    expect(await kit.engine.unlink(ada, 'notes')).toEqual({ ok: true, value: { wasRevoked: true } });
    expect(await kit.grants.get(ada, 'notes')).toBeUndefined();
    expect(await callServer(provider.mcpUrl, fresh.accessToken.reveal())).toBe(401);
    expect(await kit.engine.refresh('notes', fresh)).toEqual({ ok: false, error: 'invalid_grant' });
    expect(provider.issuer.to('/revoke').map((request) => formOf(request).get('token_type_hint'))).toEqual([
      'refresh_token',
      'access_token',
    ]);
  });

  test('stores nothing before the user has said that this is the account', async () => {
    const provider = await startDemoProvider();
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const redirect = await provider.consent(await begin(kit));
    const who = { owner: ada, server: 'notes', browser: adasBrowser };
    const answered = granted(await kit.engine.callback({ ...who, url: redirect.href }));
    expect(answered).toMatchObject({
      scopes: ['mcp:notes:read'],
      provider: new URL(provider.issuer.origin).host,
    });
    expect(await kit.grants.get(ada, 'notes')).toBeUndefined();
    const summary = granted(await kit.engine.confirm({ ...who, flow: answered.flow }));
    expect(summary).toMatchObject({ server: 'notes', issuer: provider.issuer.origin, isDead: false });
    expect(await kit.grants.list(ada)).toHaveLength(1);
  });

  test('stores nothing where the user declines', async () => {
    const provider = await startDemoProvider();
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const redirect = await provider.consent(await begin(kit), 'ada@notes.example', 'deny');
    const answered = await kit.engine.callback({
      owner: ada,
      server: 'notes',
      browser: adasBrowser,
      url: redirect.href,
    });
    expect(answered).toMatchObject({ ok: false, error: { reason: 'denied' } });
    expect(provider.issuer.to('/token')).toEqual([]);
  });
});
