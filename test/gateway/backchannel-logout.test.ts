import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventTypes, mintEvent, mintLogout } from '../support/event-tokens.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from '../support/issuer.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

/** `one` may end the sessions of two clients; `other` may end those of none. */
let one: TestIssuer;
let other: TestIssuer;
let running: RunningGateway;

beforeEach(async () => {
  one = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  other = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  const issuers = [{ url: one.url, backchannel_logout: ['cortex', 'cortex-2'] }, { url: other.url }];
  running = await runGateway({
    issuer: one,
    config: { auth: { issuers, challenge_scopes: ['mcp:test'] } },
    backends: { notes: { tools: [{ name: 'open', scope: 'mcp:test' }] } },
  });
});
afterEach(async () => {
  await running.close();
  await one.close();
  await other.close();
});

async function callerOf(claims: TokenClaims = {}): Promise<McpCaller> {
  const token = await one.mint({ scope: 'mcp:test', sub: 'ada', ...claims });
  return createCaller(token, async (request) => running.gateway.fetch(request));
}
const statusOf = async (caller: McpCaller) => (await caller.tool('notes_open')).status;
const post = (body: URLSearchParams | string, headers: Readonly<Record<string, string>> = {}) =>
  running.fetch('/backchannel-logout', {
    method: 'POST',
    body: String(body),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
const send = async (token: string) => post(new URLSearchParams({ logout_token: token }));
const forCortex = { aud: 'cortex' };

describe('back-channel logout', () => {
  test('of a session ends that session alone, at once', async () => {
    const caller = await callerOf({ sid: 's1' });
    const elsewhere = await callerOf({ sid: 's2' });
    expect(await statusOf(caller)).toBe(200);
    const startedMs = performance.now();
    const answer = await send(await mintLogout(one, { ...forCortex, sub: 'ada', sid: 's1' }));
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await statusOf(caller)).toBe(401);
    process.stdout.write(`logout token -> first refusal: ${(performance.now() - startedMs).toFixed(1)} ms\n`);
    expect(await statusOf(elsewhere)).toBe(200);
  });

  test('of a user ends all sessions, and who signs in again comes in', async () => {
    const caller = await callerOf({ sid: 's1' });
    const another = await callerOf({ sub: 'bob' });
    expect((await send(await mintLogout(one, { aud: ['x', 'cortex-2'], sub: 'ada' }))).status).toBe(200);
    expect(await statusOf(caller)).toBe(401);
    expect(await statusOf(another)).toBe(200);
    const later = Math.floor(Date.now() / 1_000) + 1;
    expect(await statusOf(await callerOf({ iat: later, exp: later + 60 }))).toBe(200);
  });

  test('takes tokens of issuers that give them no type, or no end', async () => {
    for (const typ of ['JWT', 'logout+jwt', 'application/logout+jwt', undefined]) {
      const sid = `session-${typ}`;
      const caller = await callerOf({ sid });
      const token = await mintLogout(one, { ...forCortex, sid, exp: undefined }, { typ });
      expect([typ, (await send(token)).status, await statusOf(caller)]).toEqual([typ, 200, 401]);
    }
  });

  const now = Math.floor(Date.now() / 1_000);
  const attacks: readonly (readonly [why: string, reason: string, make: () => Promise<string>])[] = [
    [
      'of another issuer that signs for itself',
      'issuer_unknown',
      () => mintLogout(other, { ...forCortex, sub: 'ada' }),
    ],
    [
      'forged with another issuer’s key',
      'signature_invalid',
      () => mintLogout(other, { ...forCortex, iss: one.url, sub: 'ada' }),
    ],
    ['for another client', 'audience_refused', () => mintLogout(one, { aud: 'another', sub: 'ada' })],
    ['for the gateway as a resource', 'audience_refused', () => mintLogout(one, { sub: 'ada' })],
    ['that is an access token', 'type_refused', () => one.mint({ ...forCortex, sub: 'ada' })],
    [
      'that is an ID token',
      'events_refused',
      () => one.mint({ ...forCortex, sub: 'ada', nonce: 'n' }, { typ: 'JWT' }),
    ],
    ['with a nonce', 'nonce_refused', () => mintLogout(one, { ...forCortex, sub: 'ada', nonce: 'n' })],
    [
      'that is a security event',
      'type_refused',
      () => mintEvent(one, eventTypes.logout, {}, { claims: { ...forCortex, sub: 'ada' } }),
    ],
    [
      'with another event',
      'events_refused',
      () => mintLogout(one, { ...forCortex, sub: 'ada', events: { [eventTypes.sessionRevoked]: {} } }),
    ],
    [
      'with an event that is no object',
      'events_refused',
      () => mintLogout(one, { ...forCortex, sub: 'ada', events: { [eventTypes.logout]: true } }),
    ],
    ['of nobody', 'claim_missing', () => mintLogout(one, forCortex)],
    [
      'whose session is no text',
      'claim_invalid',
      () => mintLogout(one, { ...forCortex, sub: 'ada', sid: 7 }),
    ],
    ['that has expired', 'expired', () => mintLogout(one, { ...forCortex, sub: 'ada', exp: now - 60 })],
    ['that is an hour old', 'too_old', () => mintLogout(one, { ...forCortex, sub: 'ada', iat: now - 3_600 })],
    [
      'from the future',
      'not_yet_valid',
      () => mintLogout(one, { ...forCortex, sub: 'ada', iat: now + 3_600 }),
    ],
    ['without an id', 'claim_missing', () => mintLogout(one, { ...forCortex, sub: 'ada', jti: undefined })],
    ['that is no token', 'malformed', async () => 'nonsense'],
    [
      'that is too large',
      'too_large',
      () => mintLogout(one, { ...forCortex, sub: 'ada', note: 'x'.repeat(12_300) }),
    ],
  ];
  test.each(attacks)('refuses a token %s (%s)', async (_why, reason, make) => {
    const caller = await callerOf();
    const answer = await send(await make());
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'The logout token was not accepted.' },
    ]);
    expect(await statusOf(caller)).toBe(200);
    const logged = running.logged.filter(({ event }) => /^(?:logout|feed)\..*refused$/.test(event));
    expect(logged.map((line) => line.reason)).toEqual([reason]);
  });

  test('has a token that opens nothing, though it be for the audience of access tokens and of no type', async () => {
    for (const typ of ['JWT', undefined]) {
      const claims = { sub: 'ada', client_id: 'cortex', scope: 'mcp:test', exp: now + 60 };
      const token = await mintLogout(one, { aud: canonicalUrl, ...claims }, { typ });
      const caller = createCaller(token, async (request) => running.gateway.fetch(request));
      expect([typ, await statusOf(caller)]).toEqual([typ, 401]);
    }
    const refused = running.logged.filter(({ event }) => event === 'auth.refused');
    expect(refused.map(({ reason }) => reason)).toEqual(['type_refused', 'type_refused']);
  });

  test('refuses an unsigned token', async () => {
    const caller = await callerOf();
    const claims = (await mintLogout(one, { ...forCortex, sub: 'ada' })).split('.')[1];
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'logout+jwt' })).toString('base64url');
    expect((await send(`${header}.${claims}.`)).status).toBe(400);
    expect(await statusOf(caller)).toBe(200);
  });

  test('takes one token in one form, and nothing else', async () => {
    const caller = await callerOf();
    const token = await mintLogout(one, { ...forCortex, sub: 'ada' });
    const twice = new URLSearchParams([
      ['logout_token', token],
      ['logout_token', token],
    ]);
    const json = { 'content-type': 'application/json' };
    const answers = [
      await post(twice),
      await post(''),
      await post(JSON.stringify({ logout_token: token }), json),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect((await running.fetch(`/backchannel-logout?logout_token=${token}`)).status).toBe(405);
    expect((await post(`logout_token=${'x'.repeat(40_000)}`)).status).toBe(400);
    expect(await statusOf(caller)).toBe(200);
  });

  test('asks to be told again while the keys of the issuer cannot be had', async () => {
    const token = await mintLogout(one, { ...forCortex, sub: 'ada' });
    one.goDown();
    const answer = await send(token);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });

  test('is not there unless an issuer may use it', async () => {
    await using without = await runGateway();
    const init = { method: 'POST', body: 'logout_token=x' };
    expect((await without.fetch('/backchannel-logout', init)).status).toBe(404);
    expect((await without.fetch('/ssf', init)).status).toBe(404);
  });
});
