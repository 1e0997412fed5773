import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { eventTypes, mintEvent } from '../support/event-tokens.ts';
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
});
