import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { eventTypes, mintEvent, mintLogout } from '../support/event-tokens.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from '../support/issuer.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

/** Two issuers, each of which pushes, with a token of its own. */
let one: TestIssuer;
let other: TestIssuer;
let running: RunningGateway;

const configOf = () => ({
  auth: {
    issuers: [
      { url: one.url, revocation_feed: { kind: 'push', token: 'token-of-one' } },
      { url: other.url, revocation_feed: { kind: 'push', token: 'token-of-other' } },
    ],
    challenge_scopes: ['mcp:test'],
  },
});
const backends = { notes: { tools: [{ name: 'open', scope: 'mcp:test' }] } };

beforeEach(async () => {
  one = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  other = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  running = await runGateway({ issuer: one, config: configOf(), backends });
});
afterEach(async () => {
  await running.close();
  await one.close();
  await other.close();
});

async function callerOf(claims: TokenClaims = {}, issuer = one): Promise<McpCaller> {
  const token = await issuer.mint({ scope: 'mcp:test', ...claims });
  return createCaller(token, async (request) => running.gateway.fetch(request));
}
const post = (text: string, token: string | undefined = 'token-of-one', type = 'application/secevent+jwt') =>
  running.fetch('/ssf', {
    method: 'POST',
    body: text,
    headers: {
      'content-type': type,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
const statusOf = async (caller: McpCaller) => (await caller.tool('notes_open')).status;
const ada = (): JsonObject => ({ format: 'iss_sub', iss: one.url, sub: 'ada' });

describe('a pushed security event', () => {
  test('ends a session: it is acknowledged with an empty 202, and the next call is refused', async () => {
    const caller = await callerOf({ sub: 'ada', sid: 's1' });
    const elsewhere = await callerOf({ sub: 'ada', sid: 's2' });
    expect(await statusOf(caller)).toBe(200);
    const event = await mintEvent(one, eventTypes.sessionRevoked, {
      format: 'complex',
      user: ada(),
      session: { format: 'opaque', id: 's1' },
    });
    const startedMs = performance.now();
    const answer = await post(event);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    expect(await statusOf(caller)).toBe(401);
    process.stdout.write(`pushed event -> first refusal: ${(performance.now() - startedMs).toFixed(1)} ms\n`);
    expect(await statusOf(elsewhere)).toBe(200);
  });

  const subjects: readonly (readonly [
    how: string,
    type: string,
    subject: () => JsonObject,
    claims: TokenClaims,
  ])[] = [
    ['by issuer and subject', eventTypes.sessionRevoked, ada, {}],
    [
      'by the user of a complex subject',
      eventTypes.sessionRevoked,
      () => ({ format: 'complex', user: ada() }),
      {},
    ],
    ['by a complex subject of an older draft', eventTypes.sessionRevoked, () => ({ user: ada() }), {}],
    [
      'by user and device: more than was meant, never less',
      eventTypes.sessionRevoked,
      () => ({ format: 'complex', user: ada(), device: { format: 'opaque', id: 'd' } }),
      {},
    ],
    ['by a session’s opaque id', eventTypes.sessionRevoked, () => ({ format: 'opaque', id: 's1' }), {}],
    ['by an account’s opaque id', eventTypes.accountDisabled, () => ({ format: 'opaque', id: 'ada' }), {}],
    [
      'by one of several aliases',
      eventTypes.sessionRevoked,
      () => ({ format: 'aliases', identifiers: [{ format: 'email', email: 'ada@example.com' }, ada()] }),
      {},
    ],
    [
      'by the id of a token',
      eventTypes.tokenRevoked,
      () => ({ format: 'jwt_id', iss: one.url, jti: 'token-1' }),
      {},
    ],
    [
      'by the spelling of an older draft',
      eventTypes.sessionRevoked,
      () => ({ subject_type: 'iss-sub', iss: one.url, sub: 'ada' }),
      {},
    ],
    [
      'by `sub` alone, as RFC 8417 has it',
      eventTypes.accountPurged,
      () => ({}),
      { sub_id: undefined, sub: 'ada' },
    ],
  ];
  test.each(subjects)('names whom it means %s', async (_how, type, subject, claims) => {
    const caller = await callerOf({ sub: 'ada', sid: 's1', jti: 'token-1' });
    const bob = await callerOf({ sub: 'bob', sid: 's9', jti: 'token-9' });
    expect((await post(await mintEvent(one, type, subject(), { claims }))).status).toBe(202);
    expect([await statusOf(caller), await statusOf(bob)]).toEqual([401, 200]);
  });

  test('may carry its subject itself, as events did before the specification was final', async () => {
    const caller = await callerOf({ sub: 'ada' });
    const claims = { sub_id: undefined };
    const event = { subject: ada(), reason: 'hijacking' };
    expect((await post(await mintEvent(one, eventTypes.accountDisabled, {}, { claims, event }))).status).toBe(
      202,
    );
    expect(await statusOf(caller)).toBe(401);
  });

  const types: readonly (readonly [name: keyof typeof eventTypes, event: JsonObject, revokes: boolean])[] = [
    ['sessionRevoked', {}, true],
    ['claimsChange', { claims: { role: 'none' } }, true],
    ['credentialChange', { change_type: 'revoke' }, true],
    ['credentialChange', { change_type: 'create' }, false],
    ['assuranceChange', { change_direction: 'decrease' }, true],
    ['assuranceChange', { change_direction: 'increase' }, false],
    ['accountDisabled', {}, true],
    ['accountPurged', {}, true],
    ['credentialCompromise', { credential_type: 'password' }, true],
    ['tokenRevoked', {}, true],
    ['verification', { state: 'nobody asked' }, false],
    ['streamUpdated', { status: 'enabled' }, false],
  ];
  test.each(types)('of the type %s %j revokes: %s', async (name, event, revokes) => {
    const caller = await callerOf({ sub: 'ada' });
    expect((await post(await mintEvent(one, eventTypes[name], ada(), { event }))).status).toBe(202);
    expect(await statusOf(caller)).toBe(revokes ? 401 : 200);
  });

  test('of a type that is not known is taken, and passed over', async () => {
    const caller = await callerOf({ sub: 'ada' });
    expect((await post(await mintEvent(one, 'https://example.com/events/birthday', ada()))).status).toBe(202);
    expect(await statusOf(caller)).toBe(200);
    expect(running.logged).toContainEqual(
      expect.objectContaining({
        event: 'feed.event_passed_over',
        what: 'https://example.com/events/birthday',
      }),
    );
  });

  test('about somebody that tokens do not name is taken, and said in the log', async () => {
    const subject = { format: 'email', email: 'ada@example.com' };
    expect((await post(await mintEvent(one, eventTypes.sessionRevoked, subject))).status).toBe(202);
    const line = running.logged.find(({ event }) => event === 'feed.event_passed_over');
    expect(line?.what).toContain('its subject is not one that tokens name');
    expect(JSON.stringify(running.logged)).not.toContain('ada@example.com');
  });

  test('cuts off what came before it happened: who signed in again in the meantime stays', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const before = await callerOf({ sub: 'ada', iat: now - 120 });
    const after = await callerOf({ sub: 'ada', iat: now - 30 });
    const late = { event: { event_timestamp: now - 60 } };
    expect((await post(await mintEvent(one, eventTypes.sessionRevoked, ada(), late))).status).toBe(202);
    expect([await statusOf(before), await statusOf(after)]).toEqual([401, 200]);
    // An account that was closed has signed in nobody since, whatever the clock of the event says.
    expect((await post(await mintEvent(one, eventTypes.accountDisabled, ada(), late))).status).toBe(202);
    expect(await statusOf(after)).toBe(401);
  });

  test('may count its time in milliseconds, and never reaches beyond when it was told', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const after = await callerOf({ sub: 'ada', iat: now + 2, exp: now + 60 });
    for (const event_timestamp of [(now - 60) * 1_000, now + 86_400, -1, 'soon'])
      await post(await mintEvent(one, eventTypes.claimsChange, ada(), { event: { event_timestamp } }));
    expect(await statusOf(after)).toBe(200);
  });
});

describe('an attack over the door for security events', () => {
  const foreign = (type = eventTypes.sessionRevoked) => mintEvent(other, type, ada());
  const attacks: readonly (readonly [
    what: string,
    code: string,
    reason: string,
    token: string,
    make: () => Promise<string>,
  ])[] = [
    ['another issuer’s event about our user', 'access_denied', 'subject_foreign', 'token-of-other', foreign],
    [
      'the same by the id of a token',
      'access_denied',
      'subject_foreign',
      'token-of-other',
      () => mintEvent(other, eventTypes.tokenRevoked, { format: 'jwt_id', iss: one.url, jti: 'token-1' }),
    ],
    [
      'the same inside a complex subject',
      'access_denied',
      'subject_foreign',
      'token-of-other',
      () =>
        mintEvent(other, eventTypes.sessionRevoked, {
          format: 'complex',
          user: ada(),
          session: { format: 'opaque', id: 's1' },
        }),
    ],
    [
      'the same inside aliases',
      'access_denied',
      'subject_foreign',
      'token-of-other',
      () =>
        mintEvent(other, eventTypes.sessionRevoked, {
          format: 'aliases',
          identifiers: [{ format: 'opaque', id: 's1' }, ada()],
        }),
    ],
    [
      'the same in the event itself',
      'access_denied',
      'subject_foreign',
      'token-of-other',
      () =>
        mintEvent(
          other,
          eventTypes.accountDisabled,
          {},
          { claims: { sub_id: undefined }, event: { subject: ada() } },
        ),
    ],
    [
      'another issuer’s event with our bearer token',
      'invalid_issuer',
      'issuer_unknown',
      'token-of-one',
      foreign,
    ],
    [
      'an event in our name with another issuer’s key',
      'authentication_failed',
      'signature_invalid',
      'token-of-one',
      () => mintEvent(other, eventTypes.sessionRevoked, ada(), { claims: { iss: one.url } }),
    ],
    [
      'an issuer that nobody knows',
      'invalid_issuer',
      'issuer_unknown',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { iss: 'https://nobody.example' } }),
    ],
    [
      'a key that nobody has published',
      'invalid_key',
      'key_unknown',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { header: { kid: 'unknown' } }),
    ],
    [
      'an event for others',
      'invalid_audience',
      'audience_refused',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { aud: 'https://another.example' } }),
    ],
    [
      'an event for nobody',
      'invalid_audience',
      'audience_refused',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { aud: undefined } }),
    ],
    ['an access token', 'invalid_request', 'type_refused', 'token-of-one', () => one.mint({ sub: 'ada' })],
    [
      'an event that calls itself a JWT',
      'invalid_request',
      'type_refused',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { header: { typ: 'JWT' } }),
    ],
    [
      'a logout token',
      'invalid_request',
      'type_refused',
      'token-of-one',
      () => mintLogout(one, { sub: 'ada' }),
    ],
    [
      'an event that has expired',
      'invalid_request',
      'expired',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { exp: 1_000_000_000 } }),
    ],
    [
      'an event of last month',
      'invalid_request',
      'too_old',
      'token-of-one',
      () =>
        mintEvent(one, eventTypes.sessionRevoked, ada(), {
          claims: { iat: Math.floor(Date.now() / 1_000) - 30 * 86_400 },
        }),
    ],
    [
      'an event of tomorrow',
      'invalid_request',
      'not_yet_valid',
      'token-of-one',
      () =>
        mintEvent(one, eventTypes.sessionRevoked, ada(), {
          claims: { iat: Math.floor(Date.now() / 1_000) + 86_400 },
        }),
    ],
    [
      'an event without an id',
      'invalid_request',
      'claim_missing',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { jti: undefined } }),
    ],
    [
      'an event without a time',
      'invalid_request',
      'claim_missing',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { iat: undefined } }),
    ],
    [
      'an event whose id is endless',
      'invalid_request',
      'claim_invalid',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { jti: 'x'.repeat(513) } }),
    ],
    [
      'a token without events',
      'invalid_request',
      'events_refused',
      'token-of-one',
      () => mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { events: {} } }),
    ],
    [
      'events that are a list',
      'invalid_request',
      'events_refused',
      'token-of-one',
      () =>
        mintEvent(one, eventTypes.sessionRevoked, ada(), { claims: { events: [eventTypes.sessionRevoked] } }),
    ],
    [
      'more events than one token may hold',
      'invalid_request',
      'events_refused',
      'token-of-one',
      () =>
        mintEvent(one, eventTypes.sessionRevoked, ada(), {
          claims: {
            events: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`urn:${index}`, {}])),
          },
        }),
    ],
    ['no token at all', 'invalid_request', 'malformed', 'token-of-one', async () => 'nonsense'],
    [
      'no signature',
      'invalid_request',
      'algorithm_refused',
      'token-of-one',
      async () => unsigned(await mintEvent(one, eventTypes.sessionRevoked, ada()), { alg: 'none' }),
    ],
    [
      'a critical extension',
      'invalid_request',
      'critical_header',
      'token-of-one',
      async () =>
        unsigned(await mintEvent(one, eventTypes.sessionRevoked, ada()), {
          alg: 'ES256',
          crit: ['b64'],
          b64: false,
        }),
    ],
    [
      'the public key as a shared secret',
      'invalid_request',
      'algorithm_refused',
      'token-of-one',
      async () => unsigned(await mintEvent(one, eventTypes.sessionRevoked, ada()), { alg: 'HS256' }),
    ],
  ];
  test.each(attacks)(
    'with %s is answered %s (%s), and revokes nothing',
    async (_what, code, reason, token, make) => {
      const caller = await callerOf({ sub: 'ada', sid: 's1', jti: 'token-1' });
      const answer = await post(await make(), token);
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { err: code, description: 'The security event token was not accepted.' },
      ]);
      expect(answer.headers.get('content-language')).toBe('en');
      expect(await statusOf(caller)).toBe(200);
      const logged = running.logged.filter(({ event }) => /^feed\..*refused$/.test(event));
      expect(logged.map((line) => line.reason)).toEqual([reason]);
    },
  );

  test('by another issuer whose sessions have the same names ends its own alone', async () => {
    const mine = await callerOf({ sub: 'ada', sid: 's1' });
    const its = await callerOf({ sub: 'ada', sid: 's1' }, other);
    const event = await mintEvent(other, eventTypes.sessionRevoked, { format: 'opaque', id: 's1' });
    expect((await post(event, 'token-of-other')).status).toBe(202);
    expect([await statusOf(mine), await statusOf(its)]).toEqual([200, 401]);
  });

  test('without the agreed bearer token gets 401, whoever signed it', async () => {
    const caller = await callerOf({ sub: 'ada' });
    const event = await mintEvent(one, eventTypes.sessionRevoked, ada());
    const { headers, ...init } = {
      method: 'POST',
      body: event,
      headers: { 'content-type': 'application/secevent+jwt' },
    };
    const answers = [
      await running.fetch('/ssf', { ...init, headers }),
      await post(event, 'token-of-nobody'),
      await post(event, ''),
      await running.fetch('/ssf', { ...init, headers: { ...headers, authorization: 'Basic token-of-one' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers[0]?.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answers[0]?.json()).toMatchObject({ err: 'authentication_failed' });
    expect(await statusOf(caller)).toBe(200);
  });

  test('that is too large is refused before it is read whole, with and without a length', async () => {
    const large = 'x'.repeat(16 * 1_024 + 1);
    expect((await post(large)).status).toBe(413);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 4_096;
        controller.enqueue(new Uint8Array(4_096));
      },
    });
    const headers = { 'content-type': 'application/secevent+jwt', authorization: 'Bearer token-of-one' };
    const answer = await running.fetch('/ssf', { method: 'POST', body: endless, headers });
    expect(answer.status).toBe(413);
    expect(sent).toBeLessThan(1024 * 1024);
  });

  test('of another media type or method is none', async () => {
    const event = await mintEvent(one, eventTypes.sessionRevoked, ada());
    expect((await post(event, 'token-of-one', 'application/jwt')).status).toBe(400);
    const get = await running.fetch('/ssf');
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('that sends an event again is acknowledged, and hinders nobody who has signed in since, also after a restart', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const old = { claims: { iat: now - 60 }, event: { event_timestamp: now - 60 } };
    const captured = await mintEvent(one, eventTypes.sessionRevoked, ada(), old);
    const before = await callerOf({ sub: 'ada', iat: now - 120 });
    const again = await callerOf({ sub: 'ada', iat: now - 10 });
    expect((await post(captured)).status).toBe(202);
    expect((await post(captured)).status).toBe(202);
    expect([await statusOf(before), await statusOf(again)]).toEqual([401, 200]);
    const reports = await running.gateway.operations['GET /feeds']?.run({}, 'local');
    expect(reports).toMatchObject({
      ok: true,
      value: { feeds: [{ received: 2, revoked: 1 }, { received: 0 }] },
    });
    // A gateway that has forgotten what it has seen: the same event revokes the same once more.
    await using another = await runGateway({ issuer: one, config: configOf(), backends });
    const sent = await another.fetch('/ssf', {
      method: 'POST',
      body: captured,
      headers: { 'content-type': 'application/secevent+jwt', authorization: 'Bearer token-of-one' },
    });
    expect(sent.status).toBe(202);
    const there = (caller: McpCaller) =>
      another.fetch('/mcp', { method: 'POST', headers: { authorization: `Bearer ${caller.token}` } });
    expect((await there(before)).status).toBe(401);
    expect((await there(again)).status).not.toBe(401);
  });

  test('that takes the keys of the issuer away is told to come again, and no call is let in or out by it', async () => {
    const caller = await callerOf({ sub: 'ada' });
    expect(await statusOf(caller)).toBe(200);
    const event = await mintEvent(one, eventTypes.sessionRevoked, ada());
    one.goDown();
    const answer = await post(event);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    one.comeBack();
    running.clock.advance(6_000);
    expect((await post(event)).status).toBe(202);
    expect(await statusOf(caller)).toBe(401);
  });

  test('in numbers is bounded: more than 64 at a time are told to come again', async () => {
    const events = await Promise.all(
      Array.from({ length: 100 }, () =>
        mintEvent(one, eventTypes.sessionRevoked, { format: 'opaque', id: 'nobody' }),
      ),
    );
    const statuses = await Promise.all(events.map(async (event) => (await post(event)).status));
    expect(statuses.filter((status) => status === 202)).toHaveLength(64);
    expect(statuses.filter((status) => status === 503)).toHaveLength(36);
    expect((await post(events[99] ?? '')).status).toBe(202);
  });

  function unsigned(event: string, header: JsonObject): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${encode({ typ: 'secevent+jwt', ...header })}.${event.split('.')[1]}.${header.alg === 'none' ? '' : 'c2lnbmF0dXJl'}`;
  }
});
