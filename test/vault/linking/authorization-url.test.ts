import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type AuthorizationRequest, authorizationUrl } from '#vault/linking/authorization-url.ts';
import { assumedMetadata } from '#vault/linking/server-metadata.ts';

const verifier = 'v'.repeat(43);
const request: AuthorizationRequest = {
  clientId: 'https://gateway.example/.well-known/oauth-client/notes.json',
  redirectUri: 'https://gateway.example/link/notes/callback',
  state: 'state-1',
  verifier,
  scopes: ['read', 'offline_access'],
  resource: 'https://mcp.example/mcp',
};

function asked(issuer: string, changes: Partial<AuthorizationRequest> = {}): Record<string, string> {
  const url = authorizationUrl(assumedMetadata(issuer), { ...request, ...changes });
  return Object.fromEntries(new URL(url).searchParams);
}

describe('the page that a browser is sent to', () => {
  test('is asked for a code with PKCE S256', () => {
    expect(asked('https://auth.example')).toEqual({
      response_type: 'code',
      client_id: request.clientId,
      redirect_uri: request.redirectUri,
      state: 'state-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'read offline_access',
      resource: 'https://mcp.example/mcp',
      prompt: 'consent',
    });
  });

  test('is asked for no more than there is to say', () => {
    const names = Object.keys(asked('https://auth.example', { scopes: [], resource: undefined }));
    for (const name of ['scope', 'resource', 'prompt']) expect(names).not.toContain(name);
  });

  test('keeps its own query, but not what in it would be ours', () => {
    const metadata = {
      ...assumedMetadata('https://auth.example'),
      authorization_endpoint:
        'https://auth.example/authorize?tenant=7&state=theirs&code_challenge_method=plain',
    };
    const { searchParams } = new URL(authorizationUrl(metadata, request));
    expect(searchParams.get('tenant')).toBe('7');
    expect(searchParams.getAll('state')).toEqual(['state-1']);
    expect(searchParams.getAll('code_challenge_method')).toEqual(['S256']);
  });

  test('at Google is asked for a refresh token in Google’s own way', () => {
    expect(asked('https://accounts.google.com', { scopes: ['read'] })).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
    });
  });

  test('at Entra is not asked for a consent that an administrator has given', () => {
    expect(asked('https://login.microsoftonline.com/tenant/v2.0')).not.toHaveProperty('prompt');
  });
});
