import { type Principal, principalKey } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';

/** A verified user, changed as the test needs it. */
export function principal(changes: Partial<Principal> = {}): Principal {
  const tokenScopes = changes.tokenScopes ?? ['mcp:docs:read', 'mcp:docs:write'];
  return {
    kind: 'user',
    issuer: 'https://issuer.example',
    subject: 'user-1',
    key: principalKey('https://issuer.example', 'user-1'),
    clientId: 'client-1',
    tokenScopes,
    scopes: new Set(tokenScopes),
    scopeKey: [...tokenScopes].sort().join(' '),
    plan: undefined,
    email: 'ada@example.com',
    role: 'editor',
    pool: 'staff',
    tokenId: 'token-1',
    sessionId: undefined,
    grantId: undefined,
    audience: ['https://gateway.example/mcp'],
    issuedAt: 1_700_000_000,
    expiresAt: 4_000_000_000,
    token: new Secret('user.jwt.token'),
    tokenKind: 'jwt',
    ...changes,
  };
}
