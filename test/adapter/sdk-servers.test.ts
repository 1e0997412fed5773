import { describe, expect, test } from 'vitest';
import type { CallContext, LogEvent, ProgressEvent } from '#backends/backend.ts';
import { createSdkV1Server } from './sdk-v1-server.ts';
import { createSdkV2Server } from './sdk-v2-server.ts';
import { ada, answering, connect, context, tool, until } from './setup.ts';

const servers = [
  ['the v2 SDK (modern)', createSdkV2Server],
  ['the v1 SDK (legacy)', createSdkV1Server],
] as const;

describe.each(servers)('a server of %s', (_name, createServer) => {
  async function result(
    backend: ReturnType<typeof connect>['backend'],
    name: string,
    changes: Partial<CallContext> = {},
  ) {
    const { outcome } = await backend.call(tool(name, { words: 'hi' }), context(changes));
    if (!outcome.ok) return outcome.error;
    return outcome.value.kind === 'mcp' ? JSON.parse(outcome.value.text) : outcome.value;
  }

  test('lists its tools, prompts, resources and templates, with the operator’s scopes and public URIs (R31)', async () => {
    await using server = createServer();
    await using connected = connect(server.url);
    const listed = await connected.backend.personal?.refresh(ada, new AbortController().signal);
    expect(listed).toMatchObject({
      kind: 'listed',
      isStale: false,
      catalog: {
        prompts: [{ name: 'greet', scopes: ['mcp:srv'] }],
        resources: [
          {
            uri: 'test://srv/static',
            scopes: ['mcp:srv'],
            wire: { uri: 'test://srv/static', name: 'static' },
          },
        ],
        resourceTemplates: [{ uriTemplate: 'test://srv/notes/{id}' }],
      },
    });
    const names = listed?.kind === 'listed' ? listed.catalog.tools.map(({ name }) => name) : [];
    expect(names).toEqual(expect.arrayContaining(['echo', 'elicit', 'progress']));
  });

  test('answers calls, errors, prompts, reads and completions', async () => {
    await using server = createServer();
    await using connected = connect(server.url);
    const { backend } = connected;
    expect(await result(backend, 'echo')).toMatchObject({ content: [{ type: 'text', text: 'hi' }] });
    expect(await result(backend, 'fail')).toMatchObject({
      isError: true,
      content: [{ text: 'it went wrong' }],
    });
    expect(await result(backend, 'link')).toMatchObject({ content: [{ uri: 'test://srv/notes/1' }] });
    const prompt = await backend.prompt('greet', { who: 'Ada' }, context());
    expect(prompt.outcome).toMatchObject({
      value: { kind: 'mcp', text: expect.stringContaining('Hello Ada') },
    });
    const read = await backend.read('test://srv/notes/7', context());
    expect(
      JSON.parse(read.outcome.ok && read.outcome.value.kind === 'mcp' ? read.outcome.value.text : ''),
    ).toMatchObject({
      contents: [{ uri: 'test://srv/notes/7', text: 'text of test://notes/7' }],
    });
    const ref = { type: 'ref/resource', uri: 'test://srv/notes/{id}' };
    const completed = await backend.complete(ref, { name: 'id', value: '' }, context());
    expect(completed).toMatchObject({
      mode: 'linked',
      outcome: { value: { values: ['test://notes/{id}', 'other'] } },
    });
  });

  test('never shows who it is in a result (R9)', async () => {
    await using server = createServer();
    await using connected = connect(server.url);
    expect(JSON.stringify(await result(connected.backend, 'echo'))).not.toContain('sdk-v');
  });

  test('relays progress under the caller’s own token, and log messages where they were asked for (R26)', async () => {
    await using server = createServer();
    await using connected = connect(server.url);
    const progress: ProgressEvent[] = [];
    const logs: LogEvent[] = [];
    expect(await result(connected.backend, 'progress')).toMatchObject({ content: [{ text: 'no token' }] });
    await result(connected.backend, 'progress', { onProgress: (event) => void progress.push(event) });
    expect(progress.map((event) => event.progress)).toEqual([1, 2, 3]);
    await result(connected.backend, 'log');
    await result(connected.backend, 'log', { onLog: (event) => void logs.push(event), logLevel: 'info' });
    expect(logs).toMatchObject([{ level: 'info' }]);
  });

  test('hears that a call was cancelled, each in the way of its era (R14)', async () => {
    await using server = createServer();
    await using connected = connect(server.url);
    const stop = new AbortController();
    const pending = result(connected.backend, 'hang', { signal: stop.signal });
    await until(() => server.state.hanging === 1);
    stop.abort();
    expect(await pending).toMatchObject({ reason: 'cancelled' });
    await until(() => server.state.cancelled === 1);
  });

  test('hears that a call took too long, too (R15)', async () => {
    await using server = createServer();
    await using connected = connect(server.url, { timeoutMs: 2_000 });
    expect(await result(connected.backend, 'hang')).toMatchObject({ reason: 'timeout' });
    await until(() => server.state.cancelled === 1);
  });
});

describe('questions of a legacy server', () => {
  const asked = { clientCapabilities: { elicitation: {}, sampling: {}, roots: {} } };
  const textOf = ({ outcome }: Awaited<ReturnType<ReturnType<typeof connect>['backend']['call']>>) =>
    outcome.ok && outcome.value.kind === 'mcp' ? JSON.parse(outcome.value.text).content[0].text : outcome;

  test('reach a legacy client on the stream of its own call (R29)', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const person = answering({ action: 'accept', content: { name: 'Ada' } });
    const call = (name: string, ask = person.ask) =>
      connected.backend.call(tool(name), context({ ...asked, ask }));
    expect(textOf(await call('elicit'))).toBe('accept Ada');
    expect(person.questions).toMatchObject([
      { method: 'elicitation/create', params: { message: 'Who are you?' } },
    ]);
    const model = answering({ role: 'assistant', content: { type: 'text', text: '' }, model: 'a model' });
    expect(textOf(await call('sample', model.ask))).toBe('a model');
    const roots = answering({ roots: [{ uri: 'file:///home' }] });
    expect(textOf(await call('roots', roots.ask))).toBe('file:///home');
  });

  test('that come on the session’s own stream belong to the only call under way', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    await connected.backend.call(tool('echo'), context());
    await until(() => server.state.streams === 1);
    const person = answering({ action: 'decline' });
    const made = await connected.backend.call(tool('elicit-beside'), context({ ...asked, ask: person.ask }));
    expect(textOf(made)).toBe('decline beside');
  });

  test('park the call of a modern client, which comes back with the answer', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const call = (changes: Partial<CallContext>) =>
      connected.backend.call(tool('elicit-twice'), context({ ...asked, ...changes }));
    const names = ['Ada', 'Bob'];
    let made = await call({});
    for (const name of names) {
      const value = made.outcome.ok ? made.outcome.value : undefined;
      if (value?.kind !== 'input_required') throw new Error('no question');
      const [[key, question] = ['', undefined]] = Object.entries(value.inputRequests ?? {});
      expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who are you?' } });
      const inputResponses = { [key]: { action: 'accept', content: { name } } };
      made = await call({ inputResponses, requestState: value.requestState });
    }
    expect(textOf(made)).toBe('Ada and Bob');
  });

  test('are refused where the client cannot be asked; what a call fails for lack of goes to the edge (R27)', async () => {
    await using server = createSdkV1Server();
    await using connected = connect(server.url);
    const made = await connected.backend.call(tool('elicit'), context());
    expect(made.outcome).toMatchObject({
      value: {
        kind: 'input_required',
        inputRequests: { needed: { method: 'elicitation/create', params: { message: 'Who are you?' } } },
        requestState: undefined,
      },
    });
  });
});

test('questions of a modern server pass through with its own state, and so do the answers (R27)', async () => {
  await using server = createSdkV2Server();
  await using connected = connect(server.url);
  const clientCapabilities = { elicitation: { form: {} } };
  const first = await connected.backend.call(tool('elicit'), context({ clientCapabilities }));
  expect(first.outcome).toMatchObject({
    value: {
      kind: 'input_required',
      inputRequests: { who: { method: 'elicitation/create', params: { message: 'Who are you?' } } },
      requestState: 'state of the server',
    },
  });
  const inputResponses = { who: { action: 'accept', content: { name: 'Ada' } } };
  const second = await connected.backend.call(
    tool('elicit'),
    context({ clientCapabilities, inputResponses, requestState: 'state of the server' }),
  );
  expect(JSON.stringify(second.outcome)).toContain('state of the server');
  expect(JSON.stringify(second.outcome)).toContain('Ada');
});

test('what a modern tool mirrors into headers goes along, by the server’s own names (R41)', async () => {
  await using server = createSdkV2Server();
  await using connected = connect(server.url);
  const call = () => connected.backend.call(tool('region', { region: 'Zürich' }), context());
  // Nobody has listed the tools yet: the server finds the headers wrong, and the list is fetched once.
  expect((await call()).outcome).toMatchObject({ ok: true });
  await connected.backend.personal?.refresh(ada, new AbortController().signal);
  expect((await call()).outcome).toMatchObject({ value: { text: expect.stringContaining('in Zürich') } });
});

test('the session of a legacy server ends with DELETE', async () => {
  await using server = createSdkV1Server();
  {
    await using connected = connect(server.url);
    await connected.backend.call(tool('echo'), context());
    expect(server.sessions.size).toBe(1);
  }
  expect(server.state.ended).toBe(1);
});

test('a legacy server that lost its sessions gets a new one, and the call succeeds (R43)', async () => {
  await using server = createSdkV1Server();
  await using connected = connect(server.url);
  await connected.backend.call(tool('echo'), context());
  server.forget();
  expect((await connected.backend.call(tool('echo'), context())).outcome.ok).toBe(true);
  expect(server.sessions.size).toBe(1);
});
