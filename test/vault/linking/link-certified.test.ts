import { describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { startCertifiedProvider } from './certified-provider.ts';
import { callServer } from './demo-provider.ts';
import {
  ada,
  adasBrowser,
  begin,
  finish,
  granted,
  type LinkingKit,
  linkedServer,
  startLinking,
} from './linking-kit.ts';

describe('linking at oidc-provider, an implementation that shares no code with ours (R45)', () => {
  test('registers, links under the account’s own name, refreshes with rotation, and unlinks with revocation', async () => {
    const provider = await startCertifiedProvider();
    const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
    const page = await begin(kit);
    expect(provider.requests).toContain('POST /reg');
    expect(page.searchParams.get('scope')).toBe('openid email notes:read offline_access');
    expect(page.searchParams.get('prompt')).toBe('consent');

    const redirect = await provider.consent(page);
    const who = { owner: ada, server: 'notes', browser: adasBrowser };
    const answered = granted(await kit.engine.callback({ ...who, url: redirect.href }));
    expect(answered).toMatchObject({
      account: 'ada@certified.example',
      provider: new URL(provider.issuer).host,
    });
    granted(await kit.engine.confirm({ ...who, flow: answered.flow }));
    const grant = (await kit.grants.get(ada, 'notes'))?.grant;
    if (grant === undefined) throw new Error('not linked');
    expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);

    const fresh = granted(await kit.engine.refresh('notes', grant));
    expect(fresh.refreshToken?.reveal()).not.toBe(grant.refreshToken?.reveal());
    expect(await callServer(provider.mcpUrl, fresh.accessToken.reveal())).toBe(200);
    // The old refresh token, used once more, ends the whole family there.
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'invalid_grant' });

    const again = await finish(kit, await provider.consent(await begin(kit)));
    expect(provider.requests.filter((request) => request === 'POST /reg')).toHaveLength(1);
    expect(granted(await kit.engine.unlink(ada, 'notes'))).toEqual({ wasRevoked: true });
    expect(await callServer(provider.mcpUrl, again.accessToken.reveal())).toBe(401);
  });

  test('introduces itself by its metadata document', async () => {
    let kit: LinkingKit | undefined;
    const id = 'https://gateway.test/.well-known/oauth-client/notes.json';
    const provider = await startCertifiedProvider({
      documents: (url) => (url === id ? kit?.engine.clientDocument('notes') : undefined),
    });
    kit = await startLinking(
      { notes: linkedServer(provider.mcpUrl) },
      { gatewayUrl: 'https://gateway.test/mcp' },
    );
    const page = await begin(kit);
    expect(page.searchParams.get('client_id')).toBe(id);
    const redirect = await provider.consent(page, 'grace');
    expect(redirect.origin).toBe('https://gateway.test');
    const grant = await finish(kit, redirect);
    expect(grant.account).toBe('grace@certified.example');
    expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);
    expect(granted(await kit.engine.refresh('notes', grant)).refreshToken).toBeDefined();
  });

  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'uses a client that the operator registered, with %s',
    async (method) => {
      const secret = 'a-b_c.d~e+f/g=h&i j';
      const gatewayUrl = 'https://gateway.test/mcp';
      const provider = await startCertifiedProvider({
        clients: [
          {
            client_id: 'our-gateway',
            client_secret: secret,
            token_endpoint_auth_method: method,
            redirect_uris: ['https://gateway.test/link/notes/callback'],
            grant_types: ['authorization_code', 'refresh_token'],
          },
        ],
      });
      const client = { id: 'our-gateway', secret: new Secret(secret) };
      const kit = await startLinking({ notes: linkedServer(provider.mcpUrl, { client }) }, { gatewayUrl });
      const grant = await finish(kit, await provider.consent(await begin(kit)));
      expect(await callServer(provider.mcpUrl, grant.accessToken.reveal())).toBe(200);
      expect(provider.requests).not.toContain('POST /reg');
    },
  );
});
