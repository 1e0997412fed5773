import { auth as authV2, type OAuthClientProvider as ProviderV2 } from '@modelcontextprotocol/client';
import {
  auth as authV1,
  type OAuthClientProvider as ProviderV1,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNotesBackend } from '#demo/notes-backend.ts';
import { signUpForTokens, signUpHeadlessly } from '#demo/sign-up.ts';
import { type ListeningDemo, listen } from './listening-demo.ts';

let listening: ListeningDemo;
beforeAll(async () => {
  listening = await listen();
});
afterAll(() => listening.close());

/** What an application keeps for either SDK. */
function createProvider<Information, Tokens>() {
  const kept: { information?: Information; tokens?: Tokens; verifier: string; url?: URL } = { verifier: '' };
  const provider = {
    redirectUrl: 'http://127.0.0.1:45999/callback',
    clientMetadata: {
      client_name: 'SDK client',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    },
    clientInformation: () => kept.information,
    saveClientInformation: (information: Information) => {
      kept.information = information;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens: Tokens) => {
      kept.tokens = tokens;
    },
    redirectToAuthorization: (url: URL) => {
      kept.url = url;
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier,
  };
  return { kept, provider };
}

async function goThroughPages(url: URL | undefined, email: string): Promise<URLSearchParams> {
  const { readLink } = listening.demo.inbox;
  return (await signUpHeadlessly({ authorizationUrl: url?.href ?? '', email, readLink })).searchParams;
}
const claimsOf = (tokens: { access_token: string } | undefined) => decodeJwt(tokens?.access_token ?? '');

describe('the MCP SDK v2 client', () => {
  it('discovers, registers, signs in with PKCE, checks iss, gets tokens and refreshes them', async () => {
    type Information = NonNullable<Awaited<ReturnType<ProviderV2['clientInformation']>>>;
    type Tokens = NonNullable<Awaited<ReturnType<ProviderV2['tokens']>>>;
    const { kept, provider } = createProvider<Information, Tokens>();
    const serverUrl = listening.resource;
    expect(await authV2(provider, { serverUrl })).toBe('REDIRECT');
    const answer = await goThroughPages(kept.url, 'v2@example.com');
    const [authorizationCode, iss] = [answer.get('code') ?? '', answer.get('iss') ?? ''];
    expect(await authV2(provider, { serverUrl, authorizationCode, iss })).toBe('AUTHORIZED');
    expect(claimsOf(kept.tokens)).toMatchObject({ aud: serverUrl, email: 'v2@example.com' });

    const before = kept.tokens?.refresh_token;
    expect(await authV2(provider, { serverUrl })).toBe('AUTHORIZED');
    expect(kept.tokens?.refresh_token).not.toBe(before);
  });

  it('uses its metadata document instead of registering where it has one', async () => {
    type Information = NonNullable<Awaited<ReturnType<ProviderV2['clientInformation']>>>;
    type Tokens = NonNullable<Awaited<ReturnType<ProviderV2['tokens']>>>;
    const { kept, provider } = createProvider<Information, Tokens>();
    const clientId = 'https://app.test/client.json';
    listening.documents.set(clientId, { client_id: clientId, ...provider.clientMetadata });
    const described = { ...provider, clientMetadataUrl: clientId };
    const serverUrl = listening.resource;
    expect(await authV2(described, { serverUrl })).toBe('REDIRECT');
    const answer = await goThroughPages(kept.url, 'cimd@example.com');
    await authV2(described, {
      serverUrl,
      authorizationCode: answer.get('code') ?? '',
      iss: answer.get('iss') ?? '',
    });
    expect(claimsOf(kept.tokens)).toMatchObject({ client_id: clientId });
  });
});

describe('the MCP SDK v1 client', () => {
  it('discovers, registers, signs in with PKCE, gets tokens and refreshes them', async () => {
    type Information = NonNullable<Awaited<ReturnType<ProviderV1['clientInformation']>>>;
    type Tokens = NonNullable<Awaited<ReturnType<ProviderV1['tokens']>>>;
    const { kept, provider } = createProvider<Information, Tokens>();
    const serverUrl = listening.resource;
    expect(await authV1(provider, { serverUrl })).toBe('REDIRECT');
    const answer = await goThroughPages(kept.url, 'v1@example.com');
    expect(await authV1(provider, { serverUrl, authorizationCode: answer.get('code') ?? '' })).toBe(
      'AUTHORIZED',
    );
    expect(claimsOf(kept.tokens)).toMatchObject({ aud: serverUrl, email: 'v1@example.com' });

    const before = kept.tokens?.refresh_token;
    expect(await authV1(provider, { serverUrl })).toBe('AUTHORIZED');
    expect(kept.tokens?.refresh_token).not.toBe(before);
  });
});

describe('signing up without a browser', () => {
  it('ends with a token that a demo backend accepts, refused once the other plan is needed', async () => {
    const { issuer, resource } = listening;
    const { readLink } = listening.demo.inbox;
    const tokens = await signUpForTokens({ issuer, resource, email: 'tour@example.com', readLink });
    expect(tokens.scope.split(' ')).toHaveLength(3);
    expect(tokens.refreshToken).toBeTypeOf('string');
    const jwksUri = `${issuer}/.well-known/jwks.json`;
    const notes = createNotesBackend({ issuer, jwksUri, audience: resource, technicalToken: 'technical' });
    const call = (token: string) =>
      notes.fetch(
        new Request('http://notes.test/api/cortex/backend', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ method: 'list_notes', params: {} }),
        }),
      );
    expect((await call(tokens.accessToken)).status).toBe(200);
    expect((await call(`${tokens.accessToken.slice(0, -4)}AAAA`)).status).toBe(401);
  });

  it('says which answer it did not expect', async () => {
    const { issuer, demo } = listening;
    const { readLink } = demo.inbox;
    const options = { issuer, email: 'tour@example.com', readLink };
    await expect(signUpForTokens({ ...options, resource: 'http://other.test/mcp' })).rejects.toThrow(
      'invalid_target',
    );
    await expect(
      signUpForTokens({ ...options, resource: listening.resource, email: 'none' }),
    ).rejects.toThrow('400');
    await expect(signUpHeadlessly({ ...options, authorizationUrl: `${issuer}/authorize` })).rejects.toThrow(
      'no form',
    );
  });
});
