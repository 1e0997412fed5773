import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyClient, clientKinds } from './support/any-client.ts';
import { type Deployment, listedTools, startDeployment, until } from './support/deployment.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(async () => {
  await deployment?.[Symbol.asyncDispose]();
});

const ways = (['http', 'stdio'] as const).flatMap((way) => clientKinds.map((kind) => [kind, way] as const));

describe.each(ways)('the official client (%s) over %s', (kind, way) => {
  let client: AnyClient;
  beforeAll(async () => {
    client = await deployment.connect(kind, undefined, way);
  });
  afterAll(() => client.close());

  test('negotiates its era: no session in the modern one, a sealed id in the older', () => {
    // A client over stdio knows of no session, and one of v1 does not say which revision it agreed on.
    if (way === 'stdio' && kind === 'v1, legacy') return;
    if (way === 'stdio')
      return void expect(client.revision).toBe(kind === 'v2, modern' ? '2026-07-28' : '2025-11-25');
    const isModern = kind === 'v2, modern';
    expect(client.revision).toBe(isModern ? '2026-07-28' : '2025-11-25');
    expect(client.sessionId === undefined).toBe(isModern);
  });

  test('lists what its scopes open: tools, prompts, resources, templates', async () => {
    const tools = await client.tools();
    expect(tools.filter((name) => name.startsWith('notes_'))).toEqual([
      'notes_ask',
      'notes_deny',
      'notes_echo',
      'notes_get_help',
      'notes_hang',
      'notes_work',
    ]);
    expect(await client.prompts()).toEqual(['notes_greet']);
    expect(await client.resources()).toEqual(['cortex://architecture', 'note://1']);
    expect(await client.templates()).toEqual(['note://{id}']);
    const pro = await deployment.connect(kind, { sub: 'pro', scope: 'mcp:test mcp:pro' }, way);
    expect(await pro.tools()).toContain('notes_pro');
    await pro.close();
  });

  test('calls a tool as its user, reads, gets prompts and completes', async () => {
    expect((await client.call('notes_echo', { text: 'Zürich–東京 ☕' })).text).toContain('Zürich–東京 ☕');
    expect(deployment.backend.callsOf('echo').at(-1)?.headers.get('x-cortex-user-id')).toBe('ada');
    expect(await client.read('note://1')).toContain('A note.');
    expect(await client.read('note://99')).toContain('A note.');
    expect(await client.prompt('notes_greet')).toContain('Hello.');
    expect(await client.complete('notes_greet', 'who', 'A')).toEqual(['Ada', 'Bob']);
  });

  test('sees an application’s refusal as the tool’s, and a hidden tool as unknown', async () => {
    expect(await client.call('notes_deny')).toEqual({
      isError: true,
      text: expect.stringContaining('only the owner'),
    });
    await expect(client.call('notes_pro')).rejects.toThrow('Unknown tool: notes_pro');
    await expect(client.read('other://1')).rejects.toThrow('Resource not found');
  });

  test('hears progress, and log messages from the level that it asked for', async () => {
    const steps: number[] = [];
    await client.setLogLevel('error');
    await client.call('notes_work', {}, { onProgress: (progress) => steps.push(progress) });
    // Over lines the clients put off what they hear, and drop it where the answer is in the same piece.
    if (way === 'http') expect(steps).toEqual([1, 2]);
    await until(() => client.heard.includes('log error'), 'the log');
    expect(client.heard).not.toContain('log debug');
  });

  test('is asked for input, a sample and its roots in the middle of a call', async () => {
    const { text, isError } = await client.call('notes_ask');
    expect(isError).toBe(false);
    for (const part of ['Ada', 'Paris', 'file:///work', 'kept']) expect(text).toContain(part);
  });

  test('cancels: the application sees the call end', async () => {
    const before = deployment.backend.callsOf('hang').length;
    const cancelling = new AbortController();
    const call = client.call('notes_hang', {}, { signal: cancelling.signal });
    await until(() => deployment.backend.callsOf('hang').length > before, 'the call');
    cancelling.abort();
    await expect(call).rejects.toThrow();
    await until(() => deployment.backend.callsOf('hang').at(-1)?.signal.aborted === true, 'the abort');
  });

  test('is told of changed tools and resources', async () => {
    await client.follow('note://1');
    await Bun.sleep(100);
    await deployment.poke({ resources: ['note://1'] });
    await until(() => client.heard.includes('updated note://1'), 'the resource');
    deployment.backend.setTools([...listedTools, { name: 'new', scope: 'mcp:test' }]);
    await deployment.poke({ changed: ['tools'] });
    await until(() => client.heard.includes('tools changed'), 'the tools');
    expect(await client.tools()).toContain('notes_new');
    deployment.backend.setTools(listedTools);
    await deployment.poke({ changed: ['tools'] });
    await until(
      () => client.heard.filter((event) => event === 'tools changed').length === 2,
      'the tools again',
    );
  });
});

describe.each([
  ['v2, legacy', 'http'],
  ['v1, legacy', 'http'],
  ['v2, legacy', 'stdio'],
] as const)('a session of the official client (%s) over %s', (kind, way) => {
  test('goes on after kill -9 and a restart, and so do its log level and its subscriptions (R11)', async () => {
    const client = await deployment.connect(kind, undefined, way);
    await client.setLogLevel('error');
    await client.follow('note://1');
    await deployment.killAndRestart();
    expect((await client.call('notes_echo', { after: 'restart' })).text).toContain('restart');
    expect(await client.read('note://1')).toContain('A note.');
    expect((await client.call('notes_ask')).text).toContain('Paris');
    await client.call('notes_work');
    await until(() => client.heard.includes('log error'), 'the log');
    expect(client.heard).not.toContain('log debug');
    await client.close();
  });
});

test.each(['http', 'stdio'] as const)(
  'a modern client over %s goes on after kill -9 and a restart as if nothing had happened',
  async (way) => {
    const client = await deployment.connect('v2, modern', undefined, way);
    await deployment.killAndRestart();
    expect((await client.call('notes_echo')).isError).toBe(false);
    await client.close();
  },
);
