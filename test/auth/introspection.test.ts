import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { IssuerOptions } from '#auth/options.ts';
import { signUpForTokens } from '#demo/sign-up.ts';
import { err } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { createOutbound, type Outbound } from '#outbound/outbound.ts';
import { type ListeningDemo, listen } from '../demo/listening-demo.ts';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import {
  canonicalUrl,
  createResourceServer,
  goodClaims,
  principalOf,
  type ResourceServer,
  reasonOf,
} from './resource-server.ts';

const outbound = createOutbound();
let server: KeyServer;
let key: SigningKey;

/** An introspection endpoint that says what a test wants, and remembers what it was asked. */
interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly asked: { readonly authorization: string | null; readonly form: URLSearchParams }[];
  answer: (token: string) => Response | Promise<Response>;
}

function startEndpoint(): Endpoint {
  const socket = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const form = new URLSearchParams(await request.text());
      endpoint.asked.push({ authorization: request.headers.get('authorization'), form });
      return endpoint.answer(form.get('token') ?? '');
    },
  });
  const endpoint: Endpoint = {
    url: `http://127.0.0.1:${socket.port}/introspect`,
    asked: [],
    answer: () => Response.json({ active: false }),
    [Symbol.asyncDispose]: () => socket.stop(true),
  };
  return endpoint;
}

let endpoint: Endpoint;

beforeAll(async () => {
  server = startKeyServer();
  key = await makeKey('ES256', 'k1');
  publish(server, [key]);
});
beforeEach(() => {
  endpoint = startEndpoint();
});
afterEach(() => endpoint[Symbol.asyncDispose]());
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await outbound.close();
});

function askedAt(
  url: string,
  over: Partial<NonNullable<IssuerOptions['introspection']>> = {},
): NonNullable<IssuerOptions['introspection']> {
  const client = { id: 'gate:way', secret: new Secret('s&cret') };
  return { url, client, mode: 'fallback', cacheMs: 10_000, ...over };
}

function setUp(over: Partial<IssuerOptions> = {}, settings: Parameters<typeof createResourceServer>[1] = {}) {
  return createResourceServer([{ url: server.origin, introspection: askedAt(endpoint.url), ...over }], {
    outbound,
    ...settings,
  });
}

function goodAnswer(gateway: ResourceServer): Record<string, unknown> {
  return { ...goodClaims(server.origin, gateway.clock), active: true, token_type: 'Bearer' };
}

describe('the question', () => {
  test('is a form with the token, from a client that says who it is (RFC 7662 section 2.1)', async () => {
    using gateway = setUp();
    await gateway.ask('opaque-1');
    expect(endpoint.asked.map(({ form }) => Object.fromEntries(form))).toEqual([
      { token: 'opaque-1', token_type_hint: 'access_token' },
    ]);
    const [scheme, pair] = endpoint.asked[0]?.authorization?.split(' ') ?? [];
    expect([scheme, atob(pair ?? '')]).toEqual(['Basic', 'gate%3Away:s%26cret']);
  });

  test('of a client without a secret has its id in the form', async () => {
    using gateway = setUp({
      introspection: askedAt(endpoint.url, { client: { id: 'public', secret: undefined } }),
    });
    await gateway.ask('opaque-1');
    expect(endpoint.asked[0]?.authorization).toBeNull();
    expect(endpoint.asked[0]?.form.get('client_id')).toBe('public');
  });

  test('is put once, however many want to know', async () => {
    using gateway = setUp();
    endpoint.answer = async () => {
      await Bun.sleep(20);
      return Response.json(goodAnswer(gateway));
    };
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => gateway.ask('opaque-1')));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(endpoint.asked.length).toBe(1);
  });

  test('is not put about a JWT that is forged, expired or for somebody else', async () => {
    using gateway = setUp({ introspection: askedAt(endpoint.url, { mode: 'always' }) });
    const claims = goodClaims(server.origin, gateway.clock);
    const stranger = await makeKey('ES256', 'k1');
    for (const token of [
      await sign(stranger, claims),
      await sign(key, { ...claims, exp: gateway.clock.seconds() - 60 }),
      await sign(key, { ...claims, aud: 'https://other.example' }),
      await sign(key, { ...claims, iss: 'https://other.example' }),
    ]) {
      expect((await gateway.ask(token)).ok).toBe(false);
    }
    expect(endpoint.asked).toEqual([]);
  });

  test('is put 64 times at a time, and the others wait for their turn', async () => {
    using gateway = setUp();
    let [now, most] = [0, 0];
    endpoint.answer = async () => {
      now += 1;
      most = Math.max(most, now);
      await Bun.sleep(5);
      now -= 1;
      return Response.json(goodAnswer(gateway));
    };
    const asking = Array.from({ length: 300 }, (_, index) => gateway.ask(`opaque-${index}`));
    for (const outcome of await Promise.all(asking)) expect(reasonOf(outcome)).toBe('admitted');
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(64);
    expect(endpoint.asked.length).toBe(300);
  });

  test('of a crowd is put 64 times to an issuer that hangs, and not for those who waited in vain', async () => {
    const silent = silentOutbound();
    using gateway = setUp({}, { outbound: silent.outbound });
    const asking = Array.from({ length: 10_064 }, (_, index) => gateway.ask(`opaque-${index}`));
    await Bun.sleep(50);
    expect(reasonOf(await gateway.ask('one-more'))).toBe('introspection_unavailable');
    gateway.clock.advance(2_000);
    silent.giveUp();
    for (const outcome of await Promise.all(asking))
      expect(reasonOf(outcome)).toBe('introspection_unavailable');
    expect(silent.asked()).toBe(64);
    const logged = gateway.lines.filter(({ event }) => event === 'auth.introspection_unavailable');
    expect(logged.map(({ fields }) => fields.error)).toEqual(['too many are waiting']);
    // Whoever comes after that is asked about again.
    expect(reasonOf(await gateway.ask('later'))).toBe('introspection_unavailable');
    expect(silent.asked()).toBe(65);
  });
});

describe('what is open while strangers keep an issuer busy', () => {
  test('is asked about later, and not never: a token that was revoked does not live on behind a flood', async () => {
    const silent = silentOutbound();
    let hangs = false;
    using gateway = setUp(
      {},
      {
        outbound: {
          request: (request) => (hangs ? silent.outbound.request(request) : outbound.request(request)),
        },
      },
    );
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    const principal = principalOf(await gateway.ask('opaque-1'));
    const { authenticator, clock } = gateway;
    hangs = true;
    const flood = Array.from({ length: 1_100 }, (_, index) => gateway.ask(`stranger-${index}`));
    await Bun.sleep(20);
    expect(authenticator.isStillGood(principal)).toBe(true);
    clock.advance(9_999);
    expect(authenticator.isStillGood(principal)).toBe(true);
    clock.advance(1);
    const asked = authenticator.isStillGood(principal);
    silent.giveUp();
    expect(await asked).toBe(false);
    await Promise.all(flood);
    // A flood of later is another one.
    hangs = false;
    expect(await authenticator.isStillGood(principal)).toBe(true);
  });
});

/** A port that hangs until it is told to give up, without 10,000 sockets. */
function silentOutbound() {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const outbound: Pick<Outbound, 'request'> = {
    async request() {
      asked += 1;
      await promise;
      return err({
        reason: 'timeout',
        phase: 'head',
        wasSent: true,
        detail: 'silent',
        bodyBytes: 0,
      } as const);
    },
  };
  return { outbound, asked: () => asked, giveUp: resolve };
}

describe('what is no answer', () => {
  const noAnswers: readonly (readonly [string, () => Response])[] = [
    ['500', () => new Response('down', { status: 500 })],
    ['401 to the gateway itself', () => Response.json({ error: 'invalid_client' }, { status: 401 })],
    ['no JSON', () => new Response('<html>')],
    ['a list', () => Response.json([{ active: true }])],
    ['a word for active', () => Response.json({ active: 'true' })],
    ['nothing about active', () => Response.json({ sub: 'alice' })],
    ['more than 64 KB', () => Response.json({ active: false, pad: 'x'.repeat(70_000) })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: `${endpoint.url}/2` } })],
  ];

  test.each(noAnswers)('%s: nobody comes in, and the next request asks again', async (_title, answer) => {
    using gateway = setUp();
    endpoint.answer = answer;
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('introspection_unavailable');
    expect((await gateway.answer('opaque-1')).status).toBe(503);
    expect(endpoint.asked.length).toBe(2);
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('admitted');
  });

  test('silence for two seconds', async () => {
    using gateway = setUp();
    endpoint.answer = () => new Promise(() => {});
    const startedAt = performance.now();
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('introspection_unavailable');
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(1_900);
    expect(tookMs).toBeLessThan(20_000);
  });

  test('never shows in the log with the token or the secret', async () => {
    using gateway = setUp();
    endpoint.answer = () => new Response('opaque-1 s&cret', { status: 500 });
    await gateway.ask('opaque-1');
    expect(JSON.stringify(gateway.lines)).not.toMatch(/opaque-1|cret/);
  });
});

describe('an opaque token', () => {
  test('makes the same principal as a JWT with those claims, but for its kind', async () => {
    using gateway = setUp();
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    const opaque = principalOf(await gateway.ask('opaque-1'));
    const jwt = principalOf(await gateway.ask(await sign(key, goodClaims(server.origin, gateway.clock))));
    expect({ ...opaque, token: undefined }).toEqual({ ...jwt, token: undefined, tokenKind: 'opaque' });
    expect(opaque.token.reveal()).toBe('opaque-1');
  });

  test('is answered at once while its issuer’s word counts, with the same principal', async () => {
    using gateway = setUp();
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    const first = principalOf(await gateway.ask('opaque-1'));
    const headers = new Headers({ authorization: 'Bearer opaque-1' });
    const again = gateway.authenticator.authenticate(headers, { search: '' });
    if (again instanceof Promise) throw new Error('a known token must not need a promise');
    expect(principalOf(again)).toBe(first);
    gateway.clock.advance(10_000);
    expect(gateway.authenticator.authenticate(headers, { search: '' })).toBeInstanceOf(Promise);
  });

  test('loses at the next question the scopes that its issuer took from it', async () => {
    using gateway = setUp();
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    expect(principalOf(await gateway.ask('opaque-1')).scopeKey).toBe('notes:read notes:write');
    endpoint.answer = () => Response.json({ ...goodAnswer(gateway), scope: 'notes:read' });
    gateway.clock.advance(10_000);
    expect(principalOf(await gateway.ask('opaque-1')).scopeKey).toBe('notes:read');
  });

  test('ends when it ends, though the answer would count for longer', async () => {
    using gateway = setUp();
    const exp = gateway.clock.seconds() + 5;
    endpoint.answer = () => Response.json({ ...goodAnswer(gateway), exp });
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('admitted');
    gateway.clock.advance(6_000);
    endpoint.answer = () => Response.json({ active: false });
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('token_inactive');
  });

  const now = 1_800_000_000;
  const refused: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['of another issuer', { iss: 'https://other.example' }, 'claim_invalid'],
    ['for another resource', { aud: 'https://other.example' }, 'audience_refused'],
    ['for nobody in particular', { aud: undefined }, 'audience_refused'],
    ['without an end', { exp: undefined }, 'claim_missing'],
    ['without a beginning', { iat: undefined }, 'claim_missing'],
    ['with an end in words', { exp: 'tomorrow' }, 'claim_invalid'],
    ['with a beginning in words', { iat: 'today' }, 'claim_invalid'],
    ['that is over, whatever its issuer says', { exp: now - 31 }, 'expired'],
    ['of yesterday', { iat: now - 24 * 3_600 - 31 }, 'too_old'],
    ['of the future', { iat: now + 31 }, 'not_yet_valid'],
    ['that is not good yet', { nbf: now + 31 }, 'not_yet_valid'],
    ['that is a refresh token', { token_type: undefined }, 'type_refused'],
    ['that is a refresh token by its use', { token_use: 'refresh_token' }, 'type_refused'],
    ['of another type', { token_type: 'N_A' }, 'type_refused'],
    ['of nobody', { sub: undefined, client_id: undefined }, 'subject_missing'],
    ['bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, 'sender_constrained'],
    ['bound to a key that is not named', { token_type: 'DPoP' }, 'sender_constrained'],
    ['bound to a key', { cnf: { jkt: 'x' }, token_type: 'DPoP' }, 'sender_constrained'],
  ];

  test.each(refused)('%s is refused', async (_title, over, reason) => {
    using gateway = setUp();
    endpoint.answer = () => Response.json({ ...goodAnswer(gateway), ...over });
    const outcome = await gateway.ask('opaque-1');
    expect(outcome).toMatchObject({ ok: false, error: { reason, issuer: server.origin } });
  });

  test('is shown to its issuers in the order of the configuration, and the first that knows it counts', async () => {
    await using second = startEndpoint();
    await using third = startEndpoint();
    using gateway = createResourceServer(
      [
        { url: server.origin, introspection: askedAt(endpoint.url) },
        { url: 'https://unasked.example' },
        { url: 'https://second.example', introspection: askedAt(second.url) },
        { url: 'https://third.example', introspection: askedAt(third.url) },
      ],
      { outbound },
    );
    second.answer = () => Response.json({ ...goodAnswer(gateway), iss: undefined });
    expect(principalOf(await gateway.ask('opaque-1')).issuer).toBe('https://second.example');
    expect([endpoint, second, third].map(({ asked }) => asked.length)).toEqual([1, 1, 0]);

    // One that is silent may be the very one that knows it.
    second.answer = () => Response.json({ active: false });
    third.answer = () => new Response('down', { status: 500 });
    expect(reasonOf(await gateway.ask('opaque-2'))).toBe('introspection_unavailable');
  });

  test('that one issuer claims in another’s name is nobody’s', async () => {
    await using second = startEndpoint();
    using gateway = createResourceServer(
      [
        { url: 'https://evil.example', introspection: askedAt(endpoint.url) },
        { url: server.origin, introspection: askedAt(second.url) },
      ],
      { outbound },
    );
    endpoint.answer = () => Response.json(goodAnswer(gateway));
    expect(reasonOf(await gateway.ask('opaque-1'))).toBe('claim_invalid');
    // Without a name of its issuer it is the one's own user, whatever the subject is called.
    endpoint.answer = () => Response.json({ ...goodAnswer(gateway), iss: undefined });
    expect(principalOf(await gateway.ask('opaque-2')).issuer).toBe('https://evil.example');
  });
});

describe('a JWT of the demo’s authorization server', () => {
  let demo: ListeningDemo;
  beforeAll(async () => {
    demo = await listen({ resources: [canonicalUrl] });
  });
  afterAll(() => demo.close());

  async function meet(mode: 'fallback' | 'always') {
    const questions: string[] = [];
    const feed = { isLost: false };
    const gateway = createResourceServer(
      [
        {
          url: demo.issuer,
          introspection: askedAt(`${demo.issuer}/introspect`, {
            mode,
            client: { id: 'gateway', secret: new Secret('gateway-secret') },
          }),
        },
      ],
      {
        feedHealth: { isLost: (issuer) => issuer === demo.issuer && feed.isLost },
        outbound: {
          request(request) {
            questions.push(request.url);
            return outbound.request(request);
          },
        },
      },
    );
    const { accessToken } = await signUpForTokens({
      issuer: demo.issuer,
      resource: canonicalUrl,
      email: 'ada@example.com',
      readLink: demo.demo.inbox.readLink,
    });
    gateway.clock.advance(Date.now() - gateway.clock.now());
    return { gateway, questions, feed, token: accessToken };
  }

  async function revoke(token: string): Promise<void> {
    const [, payload = ''] = token.split('.');
    const { client_id } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const body = new URLSearchParams({ token, client_id });
    expect((await fetch(`${demo.issuer}/revoke`, { method: 'POST', body })).status).toBe(200);
  }

  test('is asked about always, if so configured: revoked, it goes on for ten seconds at most', async () => {
    const { gateway, questions, token } = await meet('always');
    using _ = gateway;
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    expect(questions.length).toBe(1);
    await revoke(token);
    gateway.clock.advance(9_999);
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    gateway.clock.advance(1);
    expect(reasonOf(await gateway.ask(token))).toBe('token_inactive');
    expect(principalOf(await meet('always').then((fresh) => fresh.gateway.ask(fresh.token))).tokenKind).toBe(
      'jwt',
    );
  });

  test('is asked about while the feed of its issuer is lost, and not a moment longer', async () => {
    const { gateway, questions, feed, token } = await meet('fallback');
    using _ = gateway;
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    await revoke(token);
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    expect(questions).toEqual([]);
    feed.isLost = true;
    expect(reasonOf(await gateway.ask(token))).toBe('token_inactive');
    expect(questions.length).toBe(1);
    feed.isLost = false;
    await gateway.ask(token);
    expect(questions.length).toBe(1);
  });

  test('whose issuer is out of reach while its feed is lost is answered 503', async () => {
    const { gateway, feed, token } = await meet('fallback');
    using _ = gateway;
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    const down = createResourceServer(
      [
        {
          url: demo.issuer,
          introspection: askedAt('http://127.0.0.1:1/introspect'),
        },
      ],
      { outbound, feedHealth: { isLost: () => feed.isLost } },
    );
    using __ = down;
    down.clock.advance(Date.now() - down.clock.now());
    expect(reasonOf(await down.ask(token))).toBe('admitted');
    feed.isLost = true;
    expect((await down.answer(token)).status).toBe(503);
  });
});
