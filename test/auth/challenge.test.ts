import { describe, expect, test } from 'vitest';
import { createChallenge } from '#auth/challenge.ts';
import { refusal } from '#auth/refusal.ts';

const options = {
  canonicalUrl: 'https://mcp.example.com/mcp',
  baselineScopes: ['base'],
  challengeScopes: 'plans' as const,
  plans: new Map([
    ['free', ['read']],
    ['pro', ['read', 'write', 'offline_access']],
  ]),
};

function header(response: Response): string {
  return response.headers.get('www-authenticate') ?? '';
}

describe('the 401', () => {
  test('asks for the baseline and every scope of the plans, each once, never offline_access (R35)', () => {
    const response = createChallenge(options).answer(refusal('token_missing'), { search: '' });
    expect(header(response)).toContain('scope="base read write"');
  });

  test('asks for a configured list beside the baseline', () => {
    const challenge = createChallenge({ ...options, challengeScopes: ['x', 'base'] });
    expect(header(challenge.answer(refusal('expired'), { search: '' }))).toContain('scope="base x"');
  });

  test('names no scope where none is configured', () => {
    const challenge = createChallenge({ ...options, baselineScopes: [], plans: new Map() });
    expect(header(challenge.answer(refusal('token_missing'), { search: '' }))).toBe(
      'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
    );
  });

  test('says no error to a request that brought no token (RFC 6750 section 3.1)', () => {
    const challenge = createChallenge(options);
    expect(header(challenge.answer(refusal('token_missing'), { search: '' }))).not.toContain('error');
    expect(header(challenge.answer(refusal('expired'), { search: '' }))).toContain('error="invalid_token"');
  });

  test('echoes a known query in resource_metadata, byte for byte (R34)', () => {
    const search = '?backends=notes%2Cbilling&mode=search';
    const response = createChallenge(options).answer(refusal('token_missing'), { search });
    expect(header(response)).toContain(
      `resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp${search}"`,
    );
  });

  test.each(['?mode=search&x=1', '?mode="', '?mode=a", scope="admin', '?mode=\\', '?MODE=search', '?mode'])(
    'echoes nothing of the query %s',
    (search) => {
      const response = createChallenge(options).answer(refusal('token_missing'), { search });
      expect(header(response)).toContain('oauth-protected-resource/mcp"');
      expect(header(response)).not.toContain('admin');
    },
  );
});

describe('the 403', () => {
  test('names every scope of the operation at once (R36)', async () => {
    const response = createChallenge(options).insufficientScope(['write', 'admin'], {
      search: '?mode=search',
    });
    expect(response.status).toBe(403);
    expect(header(response)).toBe(
      'Bearer error="insufficient_scope", error_description="The access token lacks a scope that this request needs.", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp?mode=search", scope="write admin"',
    );
    expect(await response.json()).toEqual({
      error: 'insufficient_scope',
      error_description: 'The access token lacks a scope that this request needs.',
    });
  });

  test("lets no backend's scope out of its quotes", () => {
    const scopes = ['ok', 'a", error="x', 'b\r\nSet-Cookie: x=1', 'c\\'];
    const response = createChallenge(options).insufficientScope(scopes, { search: '' });
    expect(header(response)).toMatch(/, scope="ok"$/);
    expect(response.headers.get('set-cookie')).toBeNull();
  });
});
