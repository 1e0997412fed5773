import { describe, expect, test } from 'vitest';
import type { CallContext } from '#backends/backend.ts';
import {
  createRawPeer,
  event,
  legacy,
  type PeerAnswering,
  type PeerRequest,
  result,
  withoutStream,
} from './raw-peer.ts';
import { createSdkV1Server } from './sdk-v1-server.ts';
import { ada, bob, connect, context, tool } from './setup.ts';

const clientCapabilities = { elicitation: { form: {} } };
const fine = { content: [{ type: 'text', text: 'fine' }] };

type Backend = ReturnType<typeof connect>['backend'];
async function ask(backend: Backend, changes: Partial<CallContext> = {}, name = 'elicit') {
  const { outcome } = await backend.call(tool(name), context({ clientCapabilities, ...changes }));
  if (!outcome.ok) return outcome.error;
  return outcome.value;
}
async function parked(backend: Backend, changes: Partial<CallContext> = {}, name = 'elicit') {
  const value = await ask(backend, changes, name);
  if (!('kind' in value) || value.kind !== 'input_required') throw new Error(JSON.stringify(value));
  const [key = ''] = Object.keys(value.inputRequests ?? {});
  return { key, requestState: value.requestState, inputRequests: value.inputRequests };
}
const accept = (key: string) => ({ [key]: { action: 'accept', content: { name: 'Ada' } } });

describe('a call that waits for its user (mcp R29, R30)', () => {
  test('is taken up once, and only once', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const { key, requestState } = await parked(connected.backend);
    const inputResponses = accept(key);
    const both = [1, 2].map(() => ask(connected.backend, { inputResponses, requestState }));
    const [first, second] = await Promise.all(both);
    expect(first).toMatchObject({ kind: 'mcp', text: expect.stringContaining('accept Ada') });
    expect(second).toMatchObject({ reason: 'state_lost' });
  });

  test('is not taken up by another principal, nor by another call, and stays for its own', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const { key, requestState } = await parked(connected.backend);
    const inputResponses = accept(key);
    const thief = await ask(connected.backend, { inputResponses, requestState, principal: bob });
    expect(thief).toMatchObject({ reason: 'state_lost' });
    const other = await ask(connected.backend, { inputResponses, requestState }, 'sample');
    expect(other).toMatchObject({ reason: 'state_lost' });
    expect(await ask(connected.backend, { inputResponses, requestState })).toMatchObject({ kind: 'mcp' });
  });

  test('asks again for what was not answered', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const first = await parked(connected.backend);
    const again = await parked(connected.backend, { inputResponses: {}, requestState: first.requestState });
    expect(again.inputRequests).toEqual(first.inputRequests);
    const inputResponses = accept(again.key);
    expect(await ask(connected.backend, { inputResponses, requestState: again.requestState })).toMatchObject({
      kind: 'mcp',
    });
  });

  test('is bounded for each principal and in all; the server is told that nobody answers', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url, { maxParked: 3, maxParkedPerPrincipal: 2 });
    await parked(connected.backend);
    await parked(connected.backend);
    expect(await ask(connected.backend)).toMatchObject({ reason: 'busy' });
    await parked(connected.backend, { principal: bob });
    expect(await ask(connected.backend, { principal: bob })).toMatchObject({ reason: 'busy' });
  });

  test('ends with its account', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const { key, requestState } = await parked(connected.backend);
    connected.backend.linkingChanged(ada.key);
    const late = await ask(connected.backend, { inputResponses: accept(key), requestState });
    expect(late).toMatchObject({ reason: 'state_lost' });
  });

  test('counts no time against the server while the user thinks, but its own', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url, { timeoutMs: 300 });
    const { key, requestState } = await parked(connected.backend);
    await Bun.sleep(500);
    expect(await ask(connected.backend, { inputResponses: accept(key), requestState })).toMatchObject({
      kind: 'mcp',
    });
  });

  test('is over when its caller gives up after coming back', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const { requestState } = await parked(connected.backend);
    const stop = new AbortController();
    stop.abort();
    const late = await ask(connected.backend, { requestState, signal: stop.signal });
    expect(late).toMatchObject({ reason: 'cancelled' });
  });

  test('may ask several things at a time, answered in one go', async () => {
    const posted = Promise.withResolvers<void>();
    const answers: string[] = [];
    const serve: PeerAnswering = (request) => {
      if (request.method === '') {
        answers.push(request.body);
        if (answers.length === 2) posted.resolve();
        return new Response(null, { status: 202 });
      }
      return request.method === 'tools/call' ? asking(request, posted.promise) : result(request, fine);
    };
    await using peer = createRawPeer(legacy(withoutStream(serve)));
    await using connected = connect(peer.url);
    const { requestState, inputRequests } = await parked(connected.backend);
    expect(Object.keys(inputRequests ?? {})).toHaveLength(2);
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests ?? {}).map((key) => [key, { action: 'accept', content: { key } }]),
    );
    expect(await ask(connected.backend, { inputResponses, requestState })).toMatchObject({ kind: 'mcp' });
    expect(answers.map((answer) => JSON.parse(answer).id).sort()).toEqual(['one', 'two']);
  });

  test('loses its question when the server withdraws it', async () => {
    const serve: PeerAnswering = (request) => {
      if (request.method === '') return new Response(null, { status: 202 });
      if (request.method !== 'tools/call') return result(request, fine);
      const withdrawn = event({ method: 'notifications/cancelled', params: { requestId: 'one' } });
      return asking(request, Bun.sleep(50), [withdrawn]);
    };
    await using peer = createRawPeer(legacy(withoutStream(serve)));
    await using connected = connect(peer.url);
    const first = await parked(connected.backend);
    await Bun.sleep(100);
    expect(await ask(connected.backend, { requestState: first.requestState })).toMatchObject({ kind: 'mcp' });
  });
});

/** Asks twice at once, and answers when it may. */
function asking(request: PeerRequest, until: Promise<void>, then: readonly string[] = []): Response {
  const params = { message: 'Name?', requestedSchema: { type: 'object', properties: {} } };
  const questions = ['one', 'two'].map((id) => event({ id, method: 'elicitation/create', params }));
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(questions.join('')));
      await until;
      controller.enqueue(encoder.encode([...then, event({ id: request.id, result: fine })].join('')));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
