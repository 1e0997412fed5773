import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEventStreamer, type EventStreamer } from '../auth/feeds/event-streamer.ts';
import { eventTypes, mintEvent } from '../support/event-tokens.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

let issuer: TestIssuer;
let streamer: EventStreamer;
let running: RunningGateway;
const backends = { notes: { tools: [{ name: 'open', scope: 'mcp:test' }] } };

const configOf = (issuerConfig: object, limits = {}) => ({
  auth: { issuers: [{ url: issuer.url, ...issuerConfig }], challenge_scopes: ['mcp:test'] },
  limits,
});
const streamOf = (token: string) => ({
  revocation_feed: { kind: 'stream', url: streamer.url, token },
});

beforeEach(async () => {
  issuer = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  streamer = createEventStreamer();
  running = await runGateway({ issuer, config: configOf(streamOf('first')), backends });
  await until(() => streamer.open === 1);
});
afterEach(async () => {
  await running.close();
  await streamer[Symbol.asyncDispose]();
  await issuer.close();
});

async function until(isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 5) {
    if (waitedMs > 5_000) throw new Error('never');
    await Bun.sleep(5);
  }
}
const shown = () => streamer.connections.map(({ authorization }) => authorization);

describe('a reload', () => {
  test('that has nothing to do with a feed leaves its connection alone', async () => {
    await running.reload(backends, configOf(streamOf('first'), { calls_per_minute: 7 }));
    await running.reload(backends, configOf({ ...streamOf('first'), scopes: ['mcp:test'] }));
    await Bun.sleep(100);
    expect([streamer.open, shown()]).toEqual([1, ['Bearer first']]);
  });

  test('of a feed’s secret begins it anew, and what it tells is revoked as before', async () => {
    const caller = await running.caller({ sid: 's1', scope: 'mcp:test' });
    expect((await caller.tool('notes_open')).status).toBe(200);
    await running.reload(backends, configOf(streamOf('second')));
    await until(() => streamer.connections.length === 2 && streamer.open === 1);
    expect(shown()).toEqual(['Bearer first', 'Bearer second']);
    streamer.publish(await mintEvent(issuer, eventTypes.sessionRevoked, { format: 'opaque', id: 's1' }));
    for (let tries = 0; (await caller.tool('notes_open')).status !== 401; tries += 1) {
      if (tries > 200) throw new Error('never refused');
      await Bun.sleep(5);
    }
  });

  test('without a feed ends it; with doors opens them', async () => {
    await running.reload(backends, configOf({}));
    await until(() => streamer.open === 0);
    const post = async (path: string) => (await running.fetch(path, { method: 'POST', body: 'x' })).status;
    expect([await post('/ssf'), await post('/backchannel-logout')]).toEqual([404, 404]);
    const doors = { revocation_feed: { kind: 'push', token: 'a-token' }, backchannel_logout: ['cortex'] };
    await running.reload(backends, configOf(doors));
    expect([await post('/ssf'), await post('/backchannel-logout')]).toEqual([400, 400]);
  });
});
