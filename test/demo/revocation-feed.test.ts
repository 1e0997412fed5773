import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stopwatch } from '../support/stopwatch.ts';
import { basic, type Demo, issuer, resource, startDemo } from './demo-fixture.ts';

let demo: Demo;
let clientId: string;
beforeEach(async () => {
  demo = await startDemo({ limits: { heartbeatMs: 20, maxEventStreams: 2 } });
  clientId = await demo.register();
});
afterEach(() => demo.server.close());

const open = (headers: Record<string, string> = basic) => demo.send(`${issuer}/events`, { headers });

/** Reads the stream until `isEnough` of its text. */
async function readUntil(response: Response, isEnough: (text: string) => boolean): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  while (reader !== undefined && !isEnough(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value);
  }
  await reader?.cancel();
  return text;
}
const tokensIn = (text: string) => [...text.matchAll(/^data: (.+)$/gm)].map((match) => match[1] ?? '');

describe('the stream of revocations', () => {
  it('tells a reader of an ended session within a second, signed for the resource', async () => {
    const tokens = await demo.tokens(clientId);
    const { sub, sid } = decodeJwt(tokens.text('access_token'));
    const stream = await open();
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const elapsedMs = stopwatch();
    const reading = readUntil(stream, (text) => text.includes('data: '));
    await demo.server.revokeUser('ada@example.com');
    const [event = ''] = tokensIn(await reading);
    expect(elapsedMs()).toBeLessThan(1_000);

    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
      [customFetch]: (url: string) => demo.send(url),
    });
    const { payload } = await jwtVerify(event, keys, { issuer, audience: resource, typ: 'secevent+jwt' });
    expect(payload.sub_id).toEqual({
      format: 'complex',
      user: { format: 'iss_sub', iss: issuer, sub },
      session: { format: 'opaque', id: sid },
    });
    expect(payload.events).toEqual({
      'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
        event_timestamp: Math.floor(demo.clock.now() / 1000),
      },
    });
    expect(payload.exp).toBeUndefined();
  });

  it('tells of one revoked access token by its id', async () => {
    const tokens = await demo.tokens(clientId);
    const reading = readUntil(await open(), (text) => text.includes('data: '));
    await demo.post('/revoke', { token: tokens.text('access_token'), client_id: clientId });
    const [event = ''] = tokensIn(await reading);
    const { jti } = decodeJwt(tokens.text('access_token'));
    expect(decodeJwt(event).sub_id).toEqual({ format: 'jwt_id', iss: issuer, jti });
  });

  it('opens with what a reader missed, after its last event or from the start', async () => {
    for (const email of ['ada@example.com', 'bob@example.com']) {
      await demo.tokens(clientId, {}, { email });
      await demo.server.revokeUser(email);
    }
    const all = await readUntil(await open(), (text) => tokensIn(text).length === 2);
    expect(all.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2']);
    const later = await readUntil(await open({ ...basic, 'last-event-id': '1' }), (text) =>
      text.includes('keep-alive'),
    );
    expect(later.match(/^id: \d+$/gm)).toEqual(['id: 2']);
  });

  it('forgets what no living token can depend on', async () => {
    await demo.tokens(clientId);
    await demo.server.revokeUser('ada@example.com');
    demo.clock.advance(901);
    await demo.tokens(clientId, {}, { email: 'bob@example.com' });
    await demo.server.revokeUser('bob@example.com');
    const text = await readUntil(await open(), (seen) => seen.includes('keep-alive'));
    expect(tokensIn(text)).toHaveLength(1);
  });

  it('beats, so that a reader knows it is alive', async () => {
    const text = await readUntil(await open(), (seen) => seen.split(': keep-alive').length > 3);
    expect(text).toContain('retry: 1000');
  });

  it('is closed to everybody but resource servers', async () => {
    expect((await open({})).status).toBe(401);
    expect((await open({ authorization: `Basic ${btoa('gateway:wrong')}` })).status).toBe(401);
    expect((await open({ authorization: `Basic ${btoa(`${clientId}:`)}` })).status).toBe(401);
  });

  it('takes so many readers and frees the place of one that left', async () => {
    const streams = [await open(), await open()];
    expect((await open()).status).toBe(503);
    await streams[0]?.body?.cancel();
    const next = await open();
    expect(next.status).toBe(200);
    await next.body?.cancel();
  });

  it('ends when the server closes', async () => {
    const reading = readUntil(await open(), () => false);
    demo.server.close();
    expect(await reading).toContain('retry');
    demo = await startDemo();
  });
});
