import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { type NativeServer, startNativeServer } from './support/native-server.ts';

const methods: readonly (readonly [
  arrivesAs: string,
  make: (caller: McpCaller, id: string) => Promise<unknown>,
])[] = [
  ['tools/call', (caller, id) => caller.tool(`${id}_echo`)],
  ['prompts/get', (caller, id) => caller.modern('prompts/get', { name: `${id}_greet` })],
  ['resources/read', (caller, id) => caller.modern('resources/read', { uri: `note://${id}/one` })],
  [
    'completion/complete',
    (caller, id) =>
      caller.modern('completion/complete', {
        ref: { type: 'ref/prompt', name: `${id}_greet` },
        argument: { name: 'who', value: 'a' },
      }),
  ],
];

let open: NativeServer;
let keyed: NativeServer;
let running: RunningGateway;
let caller: McpCaller;

beforeAll(async () => {
  open = startNativeServer();
  keyed = startNativeServer({
    guard: { issuer: () => 'https://auth.example', accepts: async (token) => token === 'operators-secret' },
  });
  running = await runGateway({
    config: {
      servers: {
        open: {
          url: open.url,
          identity: 'none',
          scopes: { default: 'mcp:open', tools: { 'create_*': 'mcp:write' } },
        },
        keyed: {
          url: keyed.url,
          identity: 'static',
          token: 'operators-secret',
          scopes: { default: 'mcp:keyed' },
        },
      },
    },
  });
  caller = await running.caller({ scope: 'mcp:open mcp:keyed', email: 'ada@example.com' });
});
afterAll(async () => {
  await running.close();
  await open[Symbol.asyncDispose]();
  await keyed[Symbol.asyncDispose]();
});

async function toolsOf(who: McpCaller): Promise<readonly unknown[]> {
  const { result } = await who.modern('tools/list');
  return Array.isArray(result.tools) ? result.tools.map(({ name }) => name) : [];
}

describe('native servers in the catalog', () => {
  test('show each caller what the operator’s scopes open', async () => {
    const names = (await toolsOf(caller)).filter((name) => /^(open|keyed)_/.test(String(name)));
    expect(names).toEqual(['keyed_create_note', 'keyed_echo', 'open_echo']);
    const writer = await running.caller({ scope: 'mcp:write' });
    expect((await toolsOf(writer)).filter((name) => /^(open|keyed)_/.test(String(name)))).toEqual([
      'open_create_note',
    ]);
    expect((await toolsOf(await running.caller({ scope: 'mcp:other' }))).join()).not.toMatch(/open|keyed/);
  });
});

describe.each([
  ['none', 'open', null],
  ['static', 'keyed', 'Bearer operators-secret'],
] as const)('a server with identity: %s', (mode, id, authorization) => {
  test.each(methods)('gets exactly that with %s (R38)', async (arrivesAs, make) => {
    const server = id === 'open' ? open : keyed;
    const before = server.of(arrivesAs).length;
    await make(caller, id);
    const sent = server.of(arrivesAs).slice(before);
    expect(sent.length).toBe(1);
    expect(sent[0]?.headers.get('authorization')).toBe(authorization);
    const records = await running.calls(1, (record) => record.mode === mode && record.backend === id);
    expect(records.length).toBeGreaterThan(0);
  });

  test('never sees the user’s token, nor anything of ours that names the user', () => {
    const server = id === 'open' ? open : keyed;
    expect(server.requests.length).toBeGreaterThan(4);
    for (const { headers, text } of server.requests) {
      const seen = JSON.stringify([...headers]) + text;
      expect(seen).not.toContain(caller.token);
      expect(seen.toLowerCase()).not.toMatch(/x-cortex|user-1|ada@example|technical/);
      expect(headers.get('authorization')).toBe(authorization);
    }
  });
});

describe('a reload', () => {
  const nativeTools = async (who: McpCaller) =>
    (await toolsOf(who)).filter((name) => /^(first|second)_echo$/.test(String(name)));

  test('adds, changes and removes servers, and leaves alone what is the same', async () => {
    await using first = startNativeServer();
    await using second = startNativeServer();
    const of = (url: string, more = {}) => ({ url, identity: 'none', scopes: { default: 'mcp:x' }, ...more });
    const gateway = await runGateway({ config: { servers: { first: of(first.url) } } });
    const who = await gateway.caller({ scope: 'mcp:x' });
    expect(await nativeTools(who)).toEqual(['first_echo']);

    const before = first.of('server/discover').length;
    await gateway.reload({}, { servers: { first: of(first.url), second: of(second.url) } });
    await gateway.gateway.settled();
    expect(await nativeTools(who)).toEqual(['first_echo', 'second_echo']);
    expect(first.of('server/discover').length).toBe(before);

    await gateway.reload({}, { servers: { first: of(second.url, { exclude: ['create_*'] }) } });
    await gateway.gateway.settled();
    expect(await toolsOf(who)).not.toContain('first_create_note');
    await who.tool('first_echo');
    expect(first.of('tools/call')).toEqual([]);
    expect(second.of('tools/call').length).toBe(1);

    await gateway.reload({}, {});
    expect(await nativeTools(who)).toEqual([]);
    await gateway.close();
  });

  test('takes over another secret of a server', async () => {
    const tokens: string[] = [];
    await using native = startNativeServer({
      guard: { issuer: () => '', accepts: async (token) => tokens.push(token) > 0 },
    });
    const of = (token: string) => ({
      servers: { first: { url: native.url, identity: 'static', token, scopes: { default: 'mcp:x' } } },
    });
    const gateway = await runGateway({ config: of('one') });
    const who = await gateway.caller({ scope: 'mcp:x' });
    await who.tool('first_echo');
    expect(new Set(tokens)).toEqual(new Set(['one']));
    tokens.length = 0;
    await gateway.reload({}, of('two'));
    await who.tool('first_echo');
    expect(new Set(tokens)).toEqual(new Set(['two']));
    await gateway.close();
  });

  test('to another address of the gateway needs a restart where providers know the old one', async () => {
    const servers = { mine: { url: 'http://127.0.0.1:9/mcp', scopes: { default: 'mcp:x' } } };
    const gateway = await runGateway({ config: { servers } });
    const moved = { gateway: { url: 'http://127.0.0.1:3213/other/mcp' } };
    expect(await gateway.reload({}, { servers, ...moved })).toEqual(['gateway.url']);
    expect(await gateway.reload({}, { gateway: { url: canonicalUrl } })).toEqual([]);
    expect(await gateway.reload({}, { servers, ...moved })).toEqual([]);
    await gateway.close();
  });
});
