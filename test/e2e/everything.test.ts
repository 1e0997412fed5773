import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject } from '#kernel/json.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { type AnyClient, clientKinds } from './support/any-client.ts';
import { until } from './support/deployment.ts';
import { type EverythingDeployment, startEverything } from './support/everything.ts';

let deployment: EverythingDeployment;
let direct: AnyClient;
beforeAll(async () => {
  deployment = await startEverything();
  direct = await deployment.connectDirectly();
  // A third of a second after a session began the server asks for the roots, about no call in particular.
  const first = await deployment.connect('v1, legacy');
  await first.call('remote_echo', { message: 'first' });
  await Bun.sleep(600);
  await first.close();
}, 60_000);
afterAll(async () => {
  await direct?.close();
  await deployment?.[Symbol.asyncDispose]();
});

/** What is not the same each time, and nothing else, is taken out. */
const moments = /\d{1,2}:\d{2}:\d{2}(?:\s?[AP]M)?/g;
const sessions = /session (?:undefined|[0-9a-f-]{36})/g;

/** What the server answers by itself, as it should look through the gateway: its URIs carry its id. */
function throughGateway(json: string, id: string): unknown {
  const steady = json.replaceAll(moments, 'then').replaceAll(sessions, 'a session');
  return JSON.parse(steady, (key, value: unknown) =>
    typeof value === 'string' && (key === 'uri' || key === 'uriTemplate') ? publicUri(value, id) : value,
  );
}
function publicUri(uri: string, id: string): string {
  return uri.startsWith(`demo://${id}/`) ? uri : uri.replace('demo://', `demo://${id}/`);
}

/** Not one that a tool has made for its own session. */
function isLasting(uri: string): boolean {
  return !uri.includes('/resource/session/');
}

/** Every tool that the server has for a client that can be asked, and what to call it with. */
const calls: Readonly<Record<string, Record<string, unknown>>> = {
  echo: { message: 'Zürich – 東京 ☕' },
  'get-annotated-message': { messageType: 'error', includeImage: true },
  'get-resource-links': { count: 4 },
  'get-resource-reference': { resourceType: 'Text', resourceId: 3 },
  'get-structured-content': { location: 'Chicago' },
  'get-sum': { a: 2, b: 40 },
  'get-tiny-image': {},
  'gzip-file-as-resource': { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' },
  'trigger-elicitation-request': {},
  'trigger-sampling-request': { prompt: 'The capital of France?', maxTokens: 9 },
  'trigger-url-elicitation': { url: 'https://example.com/a', elicitationId: 'e1' },
};
/** Their answers depend on who started the server, or change it. */
const others = ['get-env', 'get-roots-list', 'toggle-simulated-logging', 'toggle-subscriber-updates'];
/** Runs only as a task, which the gateway does not relay. */
const tasks = ['simulate-research-query'];
const named = ['trigger-long-running-operation', ...others, ...Object.keys(calls)];

// First: once somebody has given up a call, nobody else is asked for a while.
describe('two people at one process', () => {
  test('are each asked only what their own calls cause', async () => {
    const [ada, bob] = await Promise.all([
      deployment.connect('v1, legacy', 'ada'),
      deployment.connect('v2, modern', 'bob'),
    ]);
    const [hers, his] = [
      await ada.call('local_trigger-sampling-request', { prompt: 'a', maxTokens: 1 }),
      await bob.call('local_trigger-sampling-request', { prompt: 'b', maxTokens: 1 }),
    ];
    expect([hers.isError, his.isError]).toEqual([false, false]);
    await Promise.all([ada.close(), bob.close()]);
  });
});

describe.each(['local', 'remote'])('server-everything as %s', (id) => {
  describe.each(clientKinds)('through the gateway, by the official client (%s)', (kind) => {
    let client: AnyClient;
    beforeAll(async () => {
      client = await deployment.connect(kind);
    });
    afterAll(() => client?.close());

    test('lists every tool as the server describes it', async () => {
      const own = (await direct.definitions()).filter(({ name }) => !tasks.includes(name));
      expect(own.map(({ name }) => name).sort()).toEqual([...named].sort());
      const shown = (await client.definitions()).filter(({ name }) => name.startsWith(`${id}_`));
      const expected = own.map((tool) => ({ ...tool, name: `${id}_${tool.name}` }));
      expect(shown.filter(({ name }) => !tasks.includes(name.slice(id.length + 1))).sort(byName)).toEqual(
        expected.sort(byName),
      );
    });

    test.each(Object.entries(calls))('calls %s, with the answer of the server', async (name, args) => {
      const [expected, answer] = await Promise.all([
        direct.call(name, args),
        client.call(`${id}_${name}`, args),
      ]);
      expect(answer.isError).toBe(false);
      expect(throughGateway(answer.text, id)).toEqual(throughGateway(expected.text, id));
      expect(answer.structured).toEqual(expected.structured);
    });

    test('hears the progress of a long operation', async () => {
      const steps: number[] = [];
      const { text } = await client.call(
        `${id}_trigger-long-running-operation`,
        { duration: 0.3, steps: 3 },
        { onProgress: (progress) => steps.push(progress) },
      );
      expect(text).toContain('Long running operation completed');
      expect(steps).toEqual([1, 2, 3]);
    });

    test('cancels a long operation at once', async () => {
      const cancelling = new AbortController();
      const elapsedMs = stopwatch();
      const call = client.call(
        `${id}_trigger-long-running-operation`,
        { duration: 60, steps: 60 },
        { signal: cancelling.signal },
      );
      setTimeout(() => cancelling.abort(), 200);
      await expect(call).rejects.toThrow();
      expect(elapsedMs()).toBeLessThan(5_000);
      expect((await client.call(`${id}_echo`, { message: 'after' })).text).toContain('after');
    });

    test('shows the server’s environment: the configured names and PATH, nothing else', async () => {
      const [content] = JSON.parse((await client.call(`${id}_get-env`)).text);
      const env: unknown = JSON.parse(content.text);
      if (!isJsonObject(env)) throw new Error('no environment');
      expect(Object.keys(env).sort()).toEqual(id === 'local' ? ['GREETING', 'PATH'] : ['PATH', 'PORT']);
    });

    test('calls the tools that change the server, and back', async () => {
      for (const name of ['toggle-simulated-logging', 'toggle-subscriber-updates']) {
        const answers = [await client.call(`${id}_${name}`), await client.call(`${id}_${name}`)];
        const texts = answers.map(({ text }) => /Started|Stopped/.exec(text)?.[0]);
        expect(texts).toEqual(['Started', 'Stopped']);
      }
      expect((await client.call(`${id}_get-roots-list`)).isError).toBe(false);
    });

    test('is told what is wrong with its arguments', async () => {
      const wrong = await client.call(`${id}_get-sum`, { a: 'two' });
      expect(wrong.isError).toBe(true);
      expect(wrong.text).toContain('Invalid');
    });

    test('is told clearly that a task cannot be relayed, where it sees one', async () => {
      const name = `${id}_simulate-research-query`;
      if (!(await client.tools()).includes(name)) return;
      const outcome = await client.call(name, { topic: 'python' }).catch((error: Error) => error);
      expect(outcome instanceof Error || outcome.isError).toBe(true);
    });

    test('lists and reads every resource, and what the templates make', async () => {
      const own = (await direct.resources()).filter(isLasting);
      expect(own.length).toBeGreaterThan(5);
      const shown = (await client.resources()).filter(
        (uri) => uri.startsWith(`demo://${id}/`) && isLasting(uri),
      );
      expect([...shown].sort()).toEqual(own.map((uri) => publicUri(uri, id)).sort());
      for (const uri of own)
        expect(JSON.parse(await client.read(publicUri(uri, id)))).toEqual(
          throughGateway(await direct.read(uri), id),
        );

      const templates = (await client.templates()).filter((uri) => uri.startsWith(`demo://${id}/`));
      expect([...templates].sort()).toEqual(
        (await direct.templates()).map((uri) => publicUri(uri, id)).sort(),
      );
      expect(await client.read(`demo://${id}/resource/dynamic/text/7`)).toContain('Resource 7');
      expect(JSON.parse(await client.read(`demo://${id}/resource/dynamic/blob/7`))).toEqual([
        expect.objectContaining({ uri: `demo://${id}/resource/dynamic/blob/7`, blob: expect.any(String) }),
      ]);
    });

    test('gets every prompt, and completes their arguments', async () => {
      const own = await direct.prompts();
      const shown = (await client.prompts()).filter((name) => name.startsWith(`${id}_`));
      expect([...shown].sort()).toEqual(own.map((name) => `${id}_${name}`).sort());
      const prompts: readonly (readonly [string, Record<string, string>])[] = [
        ['simple-prompt', {}],
        ['args-prompt', { city: 'Zürich', state: 'ZH' }],
        ['completable-prompt', { department: 'Engineering', name: 'Alice' }],
        ['resource-prompt', { resourceType: 'Text', resourceId: '2' }],
      ];
      expect(prompts.map(([name]) => name).sort()).toEqual([...own].sort());
      for (const [name, args] of prompts)
        expect(throughGateway(await client.prompt(`${id}_${name}`, args), id)).toEqual(
          throughGateway(await direct.prompt(name, args), id),
        );
      expect(await client.complete(`${id}_completable-prompt`, 'department', 'S')).toEqual([
        'Sales',
        'Support',
      ]);
    });

    test('is told when a resource that it follows has changed', async () => {
      const uri = `demo://${id}/resource/dynamic/text/1`;
      await client.follow(uri);
      // This server updates those who follow in the session that it is toggled in, and over HTTP each person has one.
      if (id === 'remote') return;
      await client.call(`${id}_toggle-subscriber-updates`);
      await until(() => client.heard.includes(`updated ${uri}`), 'the update');
      await client.call(`${id}_toggle-subscriber-updates`);
    });
  });
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
