import { describe, expect, test } from 'vitest';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import { complete, type McpCall, newFacts } from '#mcp/call.ts';
import { wholeChoice } from '#mcp/choice.ts';
import { createDispatcher } from '#mcp/dispatch.ts';
import { createPulse } from '#mcp/pulse.ts';
import { createReply } from '#mcp/reply.ts';
import { nothingPersonal } from './support/nothing-personal.ts';

function callOf(method: string): McpCall {
  const reply = createReply({
    pulse: createPulse(systemClock, 1_000),
    quietMs: 1_000,
    patienceMs: 1_000,
    canStream: false,
    onGone() {},
  });
  return {
    era: 'legacy',
    revision: '2025-11-25',
    id: 1,
    method,
    params: {},
    principal: {
      kind: 'user',
      issuer: 'https://issuer.example',
      subject: 'ada',
      key: 'ada',
      clientId: undefined,
      tokenScopes: [],
      scopes: new Set(),
      scopeKey: '',
      plan: undefined,
      email: undefined,
      role: undefined,
      pool: undefined,
      tokenId: undefined,
      sessionId: undefined,
      grantId: undefined,
      audience: [],
      issuedAt: 0,
      expiresAt: 0,
      token: new Secret('t'),
      tokenKind: 'jwt',
    },
    choice: wholeChoice,
    search: '',
    client: { capabilities: {}, agent: undefined, logLevel: undefined },
    session: undefined,
    snapshot: emptySnapshot,
    headers: new Headers(),
    trace: {},
    signal: new AbortController().signal,
    reply,
    facts: newFacts(),
  };
}

const settings = {
  missingScope: 'hide',
  serverName: 's',
  serverVersion: '1',
  websiteUrl: undefined,
  listTtlMs: 1,
  maxRequestBodyBytes: 1,
} as const;

function dispatcherWhere(broken: { members?: () => string; record?: () => boolean }) {
  const logged: string[] = [];
  const era = {
    methods: new Map([['works', () => complete('"a":1')]]),
    members: broken.members ?? (() => '"a":1'),
  };
  const dispatcher = createDispatcher(
    {
      settings: () => settings,
      clock: systemClock,
      personal: nothingPersonal(),
      log: { ...silentLog, error: (event) => logged.push(event) },
    },
    {
      eras: { legacy: era, modern: era },
      audit: { admits: () => true, record: broken.record ?? (() => true) },
      challengeHeader: () => undefined,
    },
  );
  return { dispatcher, logged };
}

describe('a fault', () => {
  const boom = () => {
    throw new Error('boom at /secret/path');
  };

  test.each([
    ['while the result is written out', { members: boom }],
    ['while the record is made', { record: boom }],
  ])('%s is answered and logged, and ends nothing else', async (_, broken) => {
    const { dispatcher, logged } = dispatcherWhere(broken);
    const call = callOf('works');
    await dispatcher.run(call, 10);
    const response = await call.reply.response;
    expect(response.status).toBe(500);
    expect(await response.text()).toMatch(/"message":"Internal error [\w-]{22}"/);
    expect(logged).toEqual(['mcp.fault']);
  });
});
