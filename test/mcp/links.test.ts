import { describe, expect, test } from 'vitest';
import type { BackendFailureReason } from '#backends/backend.ts';
import { prompt, resource, tool } from '../catalog/samples.ts';
import { namesIn, objectAt } from '../support/mcp-caller.ts';
import { createScriptedServer, listed, said } from '../support/scripted-server.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { createEdge } from './support/edge.ts';

const scopes = ['mcp:lin'];
const mine = listed({
  tools: [tool('find', { scopes })],
  prompts: [prompt('plan', scopes)],
  resources: [resource('lin://lin/1', scopes)],
});
const byUrl = { elicitation: { url: {} } };
const page = (count: number) => `https://gateway.example/link/lin?ticket=invitation-${count}`;
const methods = [
  ['tools/call', { name: 'lin_find', arguments: { q: 'x' } }, said('found')],
  ['prompts/get', { name: 'lin_plan' }, { kind: 'mcp', text: '{"messages":[]}' }],
  ['resources/read', { uri: 'lin://lin/1' }, { kind: 'mcp', text: '{"contents":[]}' }],
] as const;

/** A server whose account Ada has not linked, or whose grant has died: every call says so until `link`. */
async function unlinkedServer(lists = mine) {
  const server = createScriptedServer('lin');
  const edge = await createEdge({ servers: [{ server }] });
  server.lists('ada', lists);
  server.answer(() => 'link_required');
  return {
    server,
    edge,
    ada: edge.caller('ada', 'mcp:lin'),
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  };
}

describe('a call that needs an account, from a modern client that can be sent to a page (R45)', () => {
  test.each(methods)(
    '%s asks once, and the same call with the answer goes on',
    async (method, params, done) => {
      await using world = await unlinkedServer();
      const asked = await world.ada.modern(method, params, { capabilities: byUrl });
      expect(asked.result).toEqual({
        resultType: 'input_required',
        inputRequests: {
          link: {
            method: 'elicitation/create',
            params: { mode: 'url', url: page(1), message: expect.stringContaining('lin') },
          },
        },
        requestState: expect.any(String),
        _meta: expect.anything(),
      });
      expect(world.edge.records.at(-1)).toMatchObject({ outcome: 'input_required', code: 'link_required' });
      world.server.answer(() => done);
      const requestState = String(asked.result.requestState);
      const retry = { ...params, requestState, inputResponses: { link: { action: 'accept' } } };
      const answer = await world.ada.modern(method, retry, { capabilities: byUrl });
      expect(answer.result.resultType).toBe('complete');
      expect(world.server.calls.at(-1)?.context).toMatchObject({
        requestState: undefined,
        inputResponses: undefined,
      });
      expect(world.edge.invited).toEqual(['ada lin']);
    },
  );

  test('is asked again where the account is still not linked, and told in words once the user said no', async () => {
    await using world = await unlinkedServer();
    const first = await world.ada.tool('lin_find', {}, { capabilities: byUrl });
    const again = (action: string, requestState: unknown) =>
      world.ada.modern(
        'tools/call',
        {
          name: 'lin_find',
          arguments: {},
          requestState: String(requestState),
          inputResponses: { link: { action } },
        },
        { capabilities: byUrl },
      );
    const second = await again('accept', first.result.requestState);
    expect(second.result.resultType).toBe('input_required');
    const third = await again('decline', second.result.requestState);
    expect([third.isError, third.said]).toEqual([true, expect.stringContaining(page(3))]);
  });

  test.each(methods)(
    '%s waits for the link that its user has just opened, and then goes on',
    async (method, params, done) => {
      for (const lists of [mine, { kind: 'unlinked' } as const]) {
        await using world = await unlinkedServer(lists);
        const asked = await world.ada.modern(method, params, { capabilities: byUrl });
        const requestState = String(asked.result.requestState);
        const retry = { ...params, requestState, inputResponses: { link: { action: 'accept' } } };
        const waiting = world.ada.modern(method, retry, { capabilities: byUrl });
        await Bun.sleep(50);
        world.server.answer(() => done);
        world.server.lists('ada', undefined, mine);
        world.edge.personalChanged('lin', 'ada');
        expect((await waiting).result.resultType).toBe('complete');
        expect(world.edge.invited).toHaveLength(1);
      }
    },
  );

  test('a wait ends with the call, and only so many calls wait', async () => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    const asked = await world.ada.tool('lin_link', {}, { capabilities: byUrl });
    const requestState = String(asked.result.requestState);
    const retry = {
      name: 'lin_link',
      arguments: {},
      requestState,
      inputResponses: { link: { action: 'accept' } },
    };
    const gone = new AbortController();
    const given = world.ada.modern('tools/call', retry, { capabilities: byUrl, signal: gone.signal });
    const waiting = Array.from({ length: 8 }, () =>
      world.ada.modern('tools/call', retry, { capabilities: byUrl }),
    );
    await Bun.sleep(30);
    const elapsedMs = stopwatch();
    const ninth = await world.ada.modern('tools/call', retry, { capabilities: byUrl });
    expect(elapsedMs()).toBeLessThan(150);
    gone.abort();
    const tenth = world.ada.modern('tools/call', retry, { capabilities: byUrl });
    for (const answer of [ninth, ...(await Promise.all([...waiting, tenth]))])
      expect(['input_required', undefined]).toContain(answer.result.resultType);
    await given.catch(() => undefined);
  });

  test('in the middle of a dialogue goes on where the dialogue was', async () => {
    await using world = await unlinkedServer();
    const who = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };
    world.server.answer(() => ({ kind: 'input_required', inputRequests: { who }, requestState: 'step 2' }));
    const capabilities = { elicitation: { form: {}, url: {} } };
    const asked = await world.ada.tool('lin_find', {}, { capabilities });
    const retry = async (answers: object, requestState: unknown) =>
      world.ada.modern(
        'tools/call',
        {
          name: 'lin_find',
          arguments: {},
          requestState: String(requestState),
          inputResponses: { ...answers },
        },
        { capabilities },
      );
    world.server.answer(() => 'link_required');
    const answers = { who: { action: 'accept', content: { name: 'Ada' } } };
    const linking = await retry(answers, asked.result.requestState);
    world.server.answer(() => said('done'));
    const done = await retry({ link: { action: 'accept' } }, linking.result.requestState);
    expect(done.said).toBe('done');
    expect(world.server.calls.at(-1)?.context).toMatchObject({
      requestState: 'step 2',
      inputResponses: answers,
    });
  });

  test('the state is the caller’s and the call’s alone (R28)', async () => {
    await using world = await unlinkedServer();
    world.server.lists('bob', mine);
    const asked = await world.ada.tool('lin_find', { q: 1 }, { capabilities: byUrl });
    const requestState = String(asked.result.requestState);
    const bob = world.edge.caller('bob', 'mcp:lin');
    const attempts = [
      bob.modern('tools/call', { name: 'lin_find', arguments: { q: 1 }, requestState }),
      world.ada.modern('tools/call', { name: 'lin_find', arguments: { q: 2 }, requestState }),
      world.ada.modern('prompts/get', { name: 'lin_plan', requestState }),
      world.ada.modern('tools/call', { name: 'lin_link', arguments: {}, requestState }),
    ];
    for (const attempt of await Promise.all(attempts))
      expect([attempt.status, attempt.error.code]).toEqual([400, -32602]);
    world.edge.clock.advance(600_001);
    const late = await world.ada.modern('tools/call', {
      name: 'lin_find',
      arguments: { q: 1 },
      requestState,
    });
    expect(late.error.code).toBe(-32602);
  });

  test('a question of the server’s own cannot pass for ours, nor our state for its', async () => {
    await using world = await unlinkedServer();
    world.server.answer(() => ({
      kind: 'input_required',
      inputRequests: undefined,
      requestState: 'its own',
    }));
    const asked = await world.ada.tool('lin_find', {}, { capabilities: byUrl });
    world.server.answer(() => said('ok'));
    const requestState = String(asked.result.requestState);
    await world.ada.modern('tools/call', {
      name: 'lin_find',
      arguments: {},
      requestState,
      inputResponses: { link: { action: 'decline' } },
    });
    expect(world.server.calls.at(-1)?.context).toMatchObject({
      requestState: 'its own',
      inputResponses: { link: { action: 'decline' } },
    });
  });
});

describe('a call that needs an account, from a legacy client (R30)', () => {
  test.each(methods)('%s is -32042 with the page, where it can be sent to one', async (method, params) => {
    await using world = await unlinkedServer();
    const session = await world.ada.initialize({ capabilities: byUrl });
    const answer = await session.request(method, params);
    expect([answer.status, answer.error]).toEqual([
      200,
      {
        code: -32042,
        message: expect.stringContaining(page(1)),
        data: {
          elicitations: [
            {
              mode: 'url',
              elicitationId: 'invitation-1',
              url: page(1),
              message: expect.stringContaining('lin'),
            },
          ],
        },
      },
    ]);
    expect(world.edge.records.at(-1)).toMatchObject({ outcome: 'error', code: 'link_required' });
  });

  test('its stream hears that the page has done its work, and no other client does', async () => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    world.server.lists('bob', { kind: 'unlinked' });
    const session = await world.ada.initialize({ capabilities: byUrl });
    const other = await world.ada.initialize({ capabilities: byUrl });
    const bob = await world.edge.caller('bob', 'mcp:lin').initialize({ capabilities: byUrl });
    const streams = await Promise.all([session.events(), other.events(), bob.events()]);
    const [events, otherEvents, bobEvents] = streams;
    expect((await session.tool('lin_link')).error.code).toBe(-32042);
    await bob.tool('lin_link');
    world.edge.personalChanged('lin', 'ada');
    expect(await events.within(60)).toEqual([]);
    world.server.lists('ada', mine);
    world.edge.personalChanged('lin', 'ada');
    expect((await events.nextOf('notifications/elicitation/complete')).params).toEqual({
      elicitationId: 'invitation-1',
    });
    world.edge.personalChanged('lin', 'ada');
    const later = [
      ...(await events.within(60)),
      ...(await otherEvents.within(0)),
      ...(await bobEvents.within(0)),
    ];
    expect(later.filter(({ method }) => method === 'notifications/elicitation/complete')).toEqual([]);
    for (const stream of streams) await stream.close();
  });
});

describe('a call that needs an account, from a client that cannot be asked', () => {
  const cannot = [{}, { elicitation: {} }, { elicitation: { form: {} } }];

  test.each(cannot)(
    'that declares %j reads the link in an isError result, in both eras',
    async (capabilities) => {
      await using world = await unlinkedServer();
      const session = await world.ada.initialize({ capabilities });
      for (const answer of [
        await world.ada.tool('lin_find', {}, { capabilities }),
        await session.tool('lin_find'),
      ]) {
        expect([answer.status, answer.isError, answer.said]).toEqual([
          200,
          true,
          expect.stringContaining('https://gateway.example/link/lin?ticket='),
        ]);
        expect(objectAt(answer.result, '_meta')).toMatchObject({
          'io.github.cortex-gateway/error': { reason: 'link_required', server: 'lin' },
        });
      }
      expect(world.edge.records.at(-1)).toMatchObject({ outcome: 'error', code: 'link_required' });
    },
  );

  test.each(methods.slice(1))('%s is an error whose message holds the link', async (method, params) => {
    await using world = await unlinkedServer();
    const session = await world.ada.initialize();
    for (const answer of [await world.ada.modern(method, params), await session.request(method, params)]) {
      expect([answer.error.code, answer.error.message]).toEqual([
        -32603,
        expect.stringContaining('https://'),
      ]);
    }
  });
});

describe('a call of something of a server where nothing is linked yet', () => {
  test.each(methods)(
    '%s is answered with the link, and goes through afterwards',
    async (method, params, done) => {
      await using world = await unlinkedServer({ kind: 'unlinked' });
      world.server.answer(() => done);
      const asked = await world.ada.modern(method, params, { capabilities: byUrl });
      expect(asked.result.resultType).toBe('input_required');
      expect(world.edge.records.at(-1)).toMatchObject({ code: 'link_required', backend: 'lin' });
      const session = await world.ada.initialize({ capabilities: byUrl });
      expect((await session.request(method, params)).error.code).toBe(-32042);
      const words = await world.ada.modern(method, params);
      expect(words.text).toContain('https://gateway.example/link/lin?ticket=');
      world.server.lists('ada', mine);
      const retry = { ...params, requestState: String(asked.result.requestState), inputResponses: {} };
      const answer = await world.ada.modern(method, retry, { capabilities: byUrl });
      expect(answer.result.resultType).toBe('complete');
      expect(world.server.calls).toHaveLength(1);
    },
  );

  test.each([
    ['tools/call', { name: 'linx_find', arguments: {} }],
    ['tools/call', { name: 'find', arguments: {} }],
    ['prompts/get', { name: 'plan' }],
    ['resources/read', { uri: 'lin://other/1' }],
  ])('%s of another name is as unknown as ever: %j', async (method, params) => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    const answer = await world.ada.modern(method, params, { capabilities: byUrl });
    expect([answer.error.code, world.edge.invited]).toEqual([-32602, []]);
  });

  test('is unknown to who may not link an account there', async () => {
    const server = createScriptedServer('lin');
    await using edge = await createEdge({ servers: [{ server, otherScopes: [['mcp:lin:write']] }] });
    server.lists('ada', { kind: 'unlinked' });
    const ada = edge.caller('ada', 'mcp:lin:write');
    for (const [method, params] of methods)
      expect((await ada.modern(method, params)).error.code).toBe(-32602);
    expect((await ada.modern('tools/list')).text).not.toContain('lin_link');
  });
});

describe('the tool that links an account (R44)', () => {
  test('is all that is listed of a server to who has not linked, and goes when linked', async () => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    const own = async () =>
      namesIn(await world.ada.modern('tools/list'), 'tools').filter((name) => name.startsWith('lin'));
    expect(await own()).toEqual(['lin_link']);
    expect(namesIn(await world.ada.modern('prompts/list'), 'prompts')).toEqual([]);
    const page = await world.ada.modern('resources/read', { uri: 'cortex://architecture' });
    expect(page.text).toContain('**lin**: your account there is not linked yet. Call `lin_link`.');
    world.server.lists('ada', mine);
    expect(await own()).toEqual(['lin_find']);
  });

  test('gives the link as a call would, in every way that the client can take it', async () => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    expect((await world.ada.tool('lin_link')).said).toContain(page(1));
    const asked = await world.ada.tool('lin_link', {}, { capabilities: byUrl });
    expect(asked.result.resultType).toBe('input_required');
    world.server.lists('ada', mine);
    const requestState = String(asked.result.requestState);
    const params = { name: 'lin_link', arguments: {}, requestState, inputResponses: {} };
    expect((await world.ada.modern('tools/call', params)).said).toBe(
      'Your account at lin is linked. Its tools are in the list.',
    );
    expect(world.edge.records.at(-1)).toMatchObject({
      outcome: 'ok',
      code: 'ok',
      tool: 'lin_link',
      backend: 'lin',
    });
  });

  test('says so where the account is linked, and gives another link where the old one may have died', async () => {
    await using world = await unlinkedServer(mine);
    expect((await world.ada.tool('lin_link')).said).toContain('is linked');
    expect(world.edge.invited).toEqual([]);
    world.server.lists('ada', listed({ tools: [tool('find', { scopes })] }, true));
    expect((await world.ada.tool('lin_link')).said).toContain(page(1));
  });

  test('is unknown to who lacks the scopes, as is the server (default deny)', async () => {
    await using world = await unlinkedServer({ kind: 'unlinked' });
    const eve = world.edge.caller('eve', 'mcp:other');
    const [link, nothing] = [
      await eve.tool('lin_link', {}, { id: 1 }),
      await eve.tool('xxx_link', {}, { id: 1 }),
    ];
    expect(link.text).toBe(nothing.text.replace('xxx', 'lin'));
    expect((await eve.modern('tools/list')).text).not.toContain('lin_');
    expect([world.edge.invited, world.server.refreshed]).toEqual([[], []]);
  });

  test('cannot be taken by a tool of the server’s', async () => {
    await using world = await unlinkedServer(listed({ tools: [tool('link', { scopes })] }));
    expect(namesIn(await world.ada.modern('tools/list'), 'tools')).not.toContain('lin_link');
    await world.ada.tool('lin_link');
    expect(world.server.calls).toEqual([]);
  });

  test('is there only where accounts are linked', async () => {
    const server = createScriptedServer('lin');
    await using edge = await createEdge({ servers: [{ server, isLinkable: false }] });
    server.lists('ada', { kind: 'unlinked' });
    const ada = edge.caller('ada', 'mcp:lin');
    expect((await ada.modern('tools/list')).text).not.toContain('lin_link');
    expect((await ada.tool('lin_link')).error.code).toBe(-32602);
  });

  test('counts as a change for the audit, and so does a tool that may be a person’s own', async () => {
    await using world = await unlinkedServer(
      listed({ tools: [tool('look', { scopes, isReadOnly: true }), tool('do', { scopes })] }),
    );
    world.server.answer(() => said('done'));
    world.edge.admits = false;
    const statusOf = async (name: string) => (await world.ada.tool(name)).status;
    expect([await statusOf('lin_look'), await statusOf('lin_do'), await statusOf('lin_link')]).toEqual([
      200, 503, 503,
    ]);
    expect(await statusOf('lin_none')).toBe(200);
    world.server.lists('ada', undefined);
    expect(await statusOf('lin_none')).toBe(503);
  });
});

describe('other failures of an account', () => {
  const reasons: readonly BackendFailureReason[] = ['identity_refused', 'unreachable', 'token_refused'];
  test.each(reasons)('%s gives no link', async (reason) => {
    await using world = await unlinkedServer();
    world.server.answer(() => reason);
    const answer = await world.ada.tool('lin_find', {}, { capabilities: byUrl });
    expect([answer.isError, world.edge.invited]).toEqual([true, []]);
  });
});
