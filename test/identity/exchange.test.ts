import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityTarget } from '#backends/backend.ts';
import { signUpForTokens } from '#demo/sign-up.ts';
import { type ExchangeOptions, exchange } from '#identity/exchange.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { type LogFields, silentLog } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createOutbound, type Outbound } from '#outbound/outbound.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';
import { listen } from '../demo/listening-demo.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { createMovingClock, type MovingClock } from '../support/moving-clock.ts';
import { nothingDenied } from '../support/nothing-denied.ts';

const target: IdentityTarget = {
  backend: backendId('docs'),
  mode: 'exchange',
  url: 'https://docs.example/api',
};
const issuedType = 'urn:ietf:params:oauth:token-type:access_token';
const answer = {
  access_token: 'for.docs',
  token_type: 'Bearer',
  issued_token_type: issuedType,
  expires_in: 300,
};

interface Asked {
  readonly form: URLSearchParams;
  readonly authorization: string | null;
}

let asked: Asked[] = [];
let respond: () => Response = () => Response.json(answer);
let issuer: TestIssuer;
let outbound: Outbound;
let clock: MovingClock;
let logged: (LogFields & { readonly event: string })[] = [];

beforeEach(async () => {
  asked = [];
  logged = [];
  respond = () => Response.json(answer);
  clock = createMovingClock();
  outbound = createOutbound();
  issuer = await createIssuer({
    audience: 'https://gateway.example/mcp',
    algorithm: 'ES256',
    onToken(form, request) {
      asked.push({ form, authorization: request.headers.get('authorization') });
      return respond();
    },
  });
});
afterEach(async () => {
  await outbound.close();
  await issuer.close();
});

function modeOf(changes: Partial<ExchangeOptions> = {}) {
  const mode = exchange({
    firstParty: () => ({ allowHttp: false, audience: undefined, tokenAudience: 'urn:docs' }),
    client: () => ({ id: 'gateway-client', secret: new Secret('p:ss w') }),
    scopesFor: (who) => who.tokenScopes.filter((scope) => scope !== 'mcp:other'),
    denyList: nothingDenied,
    outbound,
    fetchJson: createFetchJson(outbound),
    clock,
    log: { ...silentLog, warn: (event, fields) => void logged.push({ ...fields, event }) },
    ...changes,
  });
  return createIdentityResolver({ exchange: mode });
}

const user = (changes: Partial<Principal> = {}) =>
  principal({ issuer: issuer.url, tokenScopes: ['mcp:docs:read', 'mcp:other'], ...changes });

async function outcome(resolver: ReturnType<typeof modeOf>, who = user(), where = target) {
  const resolved = await resolver.resolve(who, where);
  return resolved.ok ? resolved.value.headers : resolved.error.reason;
}

describe('exchange', () => {
  test('asks the user’s issuer for a token for this backend, as the gateway, with narrowed scopes', async () => {
    expect(await outcome(modeOf())).toEqual({
      Authorization: 'Bearer for.docs',
      'X-Cortex-User-Id': 'user-1',
      'X-Cortex-User-Email': 'ada@example.com',
      'X-Cortex-User-Role': 'editor',
      'X-Cortex-User-Pool': 'staff',
      'X-Cortex-Scopes': 'mcp:docs:read',
    });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'user.jwt.token',
      subject_token_type: issuedType,
      requested_token_type: issuedType,
      audience: 'urn:docs',
      scope: 'mcp:docs:read',
    });
    expect(atob(asked[0]?.authorization?.slice('Basic '.length) ?? '')).toBe('gateway-client:p%3Ass%20w');
  });

  test('says in the context what the answer says of its scopes', async () => {
    respond = () => Response.json({ ...answer, scope: 'mcp:less' });
    expect(await outcome(modeOf())).toMatchObject({ 'X-Cortex-Scopes': 'mcp:less' });
  });

  test('without a secret names the client alone', async () => {
    await outcome(modeOf({ client: () => ({ id: 'public', secret: undefined }) }));
    expect(asked[0]?.authorization).toBeNull();
    expect(asked[0]?.form.get('client_id')).toBe('public');
  });

  test('asks once for a crowd, and again shortly before the token expires', async () => {
    const mode = modeOf();
    await Promise.all(Array.from({ length: 40 }, () => outcome(mode)));
    expect(asked.length).toBe(1);
    clock.advance(269_000);
    await outcome(mode);
    expect(asked.length).toBe(1);
    clock.advance(2_000);
    await outcome(mode);
    expect(asked.length).toBe(2);
  });

  test('keeps a token for one caller’s token and one backend', async () => {
    const mode = modeOf();
    await outcome(mode);
    await outcome(mode, user({ token: new Secret('other.jwt.token') }));
    await outcome(mode, user(), { ...target, backend: backendId('billing') });
    await outcome(mode, user({ tokenScopes: ['mcp:docs:write'] }));
    expect(asked.map(({ form }) => [form.get('subject_token'), form.get('scope')])).toEqual([
      ['user.jwt.token', 'mcp:docs:read'],
      ['other.jwt.token', 'mcp:docs:read'],
      ['user.jwt.token', 'mcp:docs:read'],
      ['user.jwt.token', 'mcp:docs:write'],
    ]);
  });

  test('keeps none beyond the caller’s own token', async () => {
    respond = () => Response.json({ ...answer, expires_in: 86_400 });
    const mode = modeOf();
    const who = user({ expiresAt: Math.floor(clock.now() / 1_000) + 100 });
    await outcome(mode, who);
    clock.advance(85_000);
    await outcome(mode, who);
    expect(asked.length).toBe(2);
  });

  test('asks for another one when the backend refuses it, once for a crowd', async () => {
    const mode = modeOf();
    const first = await mode.resolve(user(), target);
    if (!first.ok) throw new Error(first.error.reason);
    respond = () => Response.json({ ...answer, access_token: 'second' });
    const again = await Promise.all(
      Array.from({ length: 10 }, () => mode.rejected?.(user(), target, first.value)),
    );
    for (const other of again)
      expect(other).toMatchObject({ ok: true, value: { headers: { Authorization: 'Bearer second' } } });
    expect(asked.length).toBe(2);
    expect(await outcome(mode)).toMatchObject({ Authorization: 'Bearer second' });
  });

  test('takes an opaque token, and none that is bound to a key', async () => {
    expect(await outcome(modeOf(), user({ tokenKind: 'opaque' }))).toMatchObject({
      Authorization: 'Bearer for.docs',
    });
    expect(await outcome(modeOf(), user({ tokenKind: 'dpop' }))).toBe('token_not_propagable');
    expect(asked.length).toBe(1);
  });
});

describe('an exchange that gives nothing', () => {
  const refusing: readonly (readonly [what: string, response: () => Response, reason: string])[] = [
    ['invalid_grant', () => Response.json({ error: 'invalid_grant' }, { status: 400 }), 'exchange_refused'],
    ['invalid_client', () => Response.json({ error: 'invalid_client' }, { status: 401 }), 'exchange_refused'],
    ['no JSON at all', () => new Response('no', { status: 403 }), 'exchange_refused'],
    ['a fault', () => new Response('down', { status: 500 }), 'identity_unavailable'],
    ['too many requests', () => new Response('', { status: 429 }), 'identity_unavailable'],
    ['a redirect', () => Response.redirect('https://evil.example/', 307), 'identity_unavailable'],
    ['no token', () => Response.json({ ...answer, access_token: undefined }), 'identity_unavailable'],
    [
      'a token of two lines',
      () => Response.json({ ...answer, access_token: 'a\r\nX: y' }),
      'identity_unavailable',
    ],
    ['a bound token', () => Response.json({ ...answer, token_type: 'DPoP' }), 'identity_unavailable'],
    ['no bearer token', () => Response.json({ ...answer, token_type: 'N_A' }), 'identity_unavailable'],
    [
      'a refresh token',
      () => Response.json({ ...answer, issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      'identity_unavailable',
    ],
    [
      'the user’s own token',
      () => Response.json({ ...answer, access_token: 'user.jwt.token' }),
      'identity_unavailable',
    ],
    ['300 KB', () => Response.json({ ...answer, more: 'x'.repeat(300_000) }), 'identity_unavailable'],
  ];
  test.each(refusing)('because the issuer answers with %s sends nothing', async (_what, response, reason) => {
    respond = response;
    expect(await outcome(modeOf())).toBe(reason);
    expect(logged[0]).toMatchObject({
      event: 'identity.exchange_failed',
      backend: 'docs',
      issuer: issuer.url,
    });
    expect(JSON.stringify(logged)).not.toMatch(/user\.jwt|p:ss/);
  });

  test('is told from one that could not be made, and is tried again soon', async () => {
    issuer.goDown();
    const mode = modeOf();
    expect(await outcome(mode)).toBe('identity_unavailable');
    issuer.comeBack();
    clock.advance(2_001);
    expect(await outcome(mode)).toMatchObject({ Authorization: 'Bearer for.docs' });
  });

  test('asks nobody where the issuer knows no client, the backend is not ours, or no scope is wanted', async () => {
    expect(await outcome(modeOf({ client: () => undefined }))).toBe('mode_unavailable');
    expect(await outcome(modeOf({ firstParty: () => undefined }))).toBe('token_not_propagable');
    expect(await outcome(modeOf({ scopesFor: () => [] }))).toBe('exchange_refused');
    expect(await outcome(modeOf(), user(), { ...target, url: 'http://docs.internal/' })).toBe(
      'token_not_propagable',
    );
    expect(asked).toEqual([]);
  });

  test('because the metadata is another issuer’s sends the user’s token nowhere', async () => {
    const fetchJson: ExchangeOptions['fetchJson'] = async () => ({
      ok: true,
      value: { issuer: 'https://evil.example', token_endpoint: `${issuer.url}/token` },
    });
    expect(await outcome(modeOf({ fetchJson }))).toBe('identity_unavailable');
    const downgrade: ExchangeOptions['fetchJson'] = async () => ({
      ok: true,
      value: { issuer: 'https://auth.example', token_endpoint: `${issuer.url}/token` },
    });
    expect(await outcome(modeOf({ fetchJson: downgrade }), user({ issuer: 'https://auth.example' }))).toBe(
      'identity_unavailable',
    );
    expect(asked).toEqual([]);
  });
});

describe('with the demo’s authorization server', () => {
  test('a user’s token becomes one that the backend alone accepts', async () => {
    const listening = await listen({
      clients: [
        {
          clientId: 'gateway',
          name: 'The gateway',
          secret: new Secret('gateway-secret'),
          redirectUris: [],
          isResourceServer: true,
          exchangeAudiences: ['http://billing.test'],
        },
      ],
    });
    const granted = await signUpForTokens({
      issuer: listening.issuer,
      resource: listening.resource,
      email: 'ada@example.com',
      readLink: listening.demo.inbox.readLink,
    });
    const mode = (audience: string) =>
      modeOf({
        firstParty: () => ({ allowHttp: false, audience: undefined, tokenAudience: audience }),
        client: () => ({ id: 'gateway', secret: new Secret('gateway-secret') }),
        scopesFor: () => ['mcp:billing:read'],
      });
    const who = principal({ issuer: listening.issuer, token: new Secret(granted.accessToken) });
    const headers = await outcome(mode('http://billing.test'), who);
    if (typeof headers === 'string') throw new Error(headers);
    const verified = await jwtVerify(
      headers.Authorization?.slice('Bearer '.length) ?? '',
      createRemoteJWKSet(new URL(`${listening.issuer}/.well-known/jwks.json`)),
      { issuer: listening.issuer, audience: 'http://billing.test' },
    );
    expect(verified.payload).toMatchObject({ scope: 'mcp:billing:read', act: { sub: 'gateway' } });
    expect(await outcome(mode('http://elsewhere.test'), who)).toBe('exchange_refused');
    listening.close();
  });
});
