import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CapturingBackend, createCapturingBackend } from '../support/capturing-backend.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import { namesIn } from '../support/mcp-caller.ts';
import { canonicalUrl, keysFolder, type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

const who = { method: 'elicitation/create', params: { message: 'Who?' } };
const options = {
  tools: [
    { name: 'open', scope: 'mcp:test' },
    { name: 'ask', scope: 'mcp:test' },
    { name: 'talk', scope: 'mcp:test' },
  ],
  resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:test' }],
};
let issuer: TestIssuer;
let notes: CapturingBackend;
let folder: TempFolder;

beforeAll(async () => {
  issuer = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
  folder = await createTempFolder();
  notes = createCapturingBackend(options);
  notes.answer('ask', ({ params }) =>
    params.inputResponses === undefined
      ? Response.json({ resultType: 'input_required', inputRequests: { who }, requestState: 'state' })
      : Response.json({ state: params.requestState }),
  );
  notes.answer('talk', () => {
    const log = (level: string) => `event: log\ndata: {"level":"${level}","data":"x"}\n\n`;
    const text = `${log('info')}${log('error')}event: result\ndata: {"ok":true}\n\n`;
    return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  });
});
afterAll(async () => {
  await issuer.close();
  await notes.close();
  await folder.remove();
});
const start = (where: TempFolder): Promise<RunningGateway> =>
  runGateway({ issuer, folder: where, running: new Map([['notes', notes]]), backends: { notes: options } });
const claims = { sub: 'ada', scope: 'mcp:test' };

describe('a restart on the same state', () => {
  test('loses no session, no log level, no subscription, no ended session and no question (R11)', async () => {
    const before = await start(folder);
    const ada = await before.caller(claims);
    const session = await ada.initialize();
    await session.request('logging/setLevel', { level: 'error' });
    await session.request('resources/subscribe', { uri: 'note://1' });
    const ended = await ada.initialize();
    await ended.end();
    const asked = await ada.tool('notes_ask', { a: 1 }, { capabilities: { elicitation: {} } });
    await before.close();

    await using after = await start(folder);
    const later = await after.caller(claims);
    const again = later.session(session.id);
    expect((await again.request('ping')).status).toBe(200);
    const talk = await (await again.stream('tools/call', { name: 'notes_talk' })).rest();
    expect(
      talk.filter(({ method }) => method === 'notifications/message').map(({ params }) => params),
    ).toEqual([{ level: 'error', data: 'x' }]);
    const events = await again.events();
    await after.fetch('/catalog/changed', {
      method: 'POST',
      headers: { authorization: 'Bearer technical-token' },
      body: JSON.stringify({ resources: ['note://1'] }),
    });
    expect((await events.next()).params).toEqual({ uri: 'note://1' });
    await events.close();
    expect((await later.session(ended.id).request('ping')).status).toBe(404);
    const inputResponses = { who: { action: 'accept', content: {} } };
    const params = {
      name: 'notes_ask',
      arguments: { a: 1 },
      inputResponses,
      requestState: String(asked.result.requestState),
    };
    expect((await later.modern('tools/call', params, { capabilities: { elicitation: {} } })).said).toBe(
      '{"state":"state"}',
    );
    expect(
      (await (await after.caller({ ...claims, sub: 'bob' })).session(session.id).request('ping')).status,
    ).toBe(404);
  });

  test('shows the last good tools, as stale, while a backend does not answer', async () => {
    notes.answer('list_tools', () => new Response('', { status: 503 }));
    await using after = await start(folder);
    const ada = await after.caller(claims);
    const listed = await ada.modern('tools/list');
    expect(namesIn(listed, 'tools')).toContain('notes_open');
    expect(listed.result.ttlMs).toBe(0);
    notes.answer('list_tools', () => Response.json({ tools: options.tools }));
  });

  test('goes on with the chain of the audit', async () => {
    const chains = new Set<unknown>();
    for (let run = 0; run < 2; run++) {
      const running = await start(folder);
      await (await running.caller(claims)).modern('tools/list');
      const [record] = await running.calls(1);
      chains.add(record?.chain);
      await running.close();
    }
    expect(chains.size).toBe(1);
  });
});

describe('another process', () => {
  test('with the same seal key and a state of its own accepts the session and the request state (R11)', async () => {
    const first = await start(folder);
    const ada = await first.caller(claims);
    const session = await ada.initialize({ capabilities: { elicitation: {} } });
    const asked = await ada.tool('notes_ask', {}, { capabilities: { elicitation: {} } });
    await using elsewhere = await createTempFolder();
    await cp(keysFolder(folder), keysFolder(elsewhere), { recursive: true });
    await using second = await start(elsewhere);
    const there = await second.caller(claims);
    const stream = await there.session(session.id).stream('tools/call', { name: 'notes_ask' });
    expect((await stream.next()).method).toBe('elicitation/create');
    await stream.close();
    const params = {
      name: 'notes_ask',
      arguments: {},
      inputResponses: {},
      requestState: String(asked.result.requestState),
    };
    expect((await there.modern('tools/call', params)).said).toBe('{"state":"state"}');
    const [here, also] = [
      await ada.modern('tools/list', {}, { id: 1 }),
      await there.modern('tools/list', {}, { id: 1 }),
    ];
    expect(also.text).toBe(here.text);
    await first.close();
  });

  test('with another seal key knows none of them', async () => {
    const first = await start(folder);
    const ada = await first.caller(claims);
    const { id } = await ada.initialize();
    const asked = await ada.tool('notes_ask', {}, { capabilities: { elicitation: {} } });
    await using elsewhere = await createTempFolder();
    await using second = await start(elsewhere);
    const there = await second.caller(claims);
    expect((await there.session(id).request('ping')).status).toBe(404);
    const requestState = String(asked.result.requestState);
    expect(
      (await there.modern('tools/call', { name: 'notes_ask', arguments: {}, requestState })).status,
    ).toBe(400);
    await first.close();
  });
});
