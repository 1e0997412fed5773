import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { createIssuer, type TestIssuer } from '../support/issuer.ts';
import type { Answer, McpCaller } from '../support/mcp-caller.ts';
import {
  type BackendSetup,
  canonicalUrl,
  type RunningGateway,
  runGateway,
} from '../support/running-gateway.ts';

const notes: BackendSetup = {
  tools: [
    { name: 'secret', scope: 'mcp:secret', description: 'Shh.' },
    { name: 'get_help', scope: 'mcp:secret' },
    { name: 'nobody' },
  ],
  prompts: [{ name: 'p', scope: 'mcp:secret' }],
  resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:secret' }],
  resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'T', scope: 'mcp:secret' }],
  config: { tickets: true },
};
const help: BackendSetup = { tools: [{ name: 'x', scope: 'mcp:secret' }] };
const open: BackendSetup = {
  tools: [{ name: 'list', scope: 'mcp:open' }],
  prompts: [{ name: 'q', scope: 'mcp:open' }],
};
/** Nobody answers there: whoever may not see a server must not find out that it is asked. */
const servers = {
  notes: { url: 'http://127.0.0.1:9/mcp', scopes: { default: 'mcp:secret' } },
  open: { url: 'http://127.0.0.1:9/mcp', identity: 'none', scopes: { default: 'mcp:secret' } },
};
let issuer: TestIssuer;
const started: RunningGateway[] = [];
beforeAll(async () => {
  issuer = await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' });
});
afterAll(async () => {
  for (const running of started) await running.close();
  await issuer.close();
});
async function start(
  backends: Readonly<Record<string, BackendSetup>>,
  servers: Readonly<Record<string, unknown>> = {},
): Promise<RunningGateway> {
  const running = await runGateway({ issuer, backends, config: { servers } });
  started.push(running);
  return running;
}

const completion = (ref: JsonObject) =>
  ['completion/complete', { ref, argument: { name: 'a', value: '' } }] as const;
const tool = (name: string, args: JsonObject = {}) => ['tools/call', { name, arguments: args }] as const;
/** Everything a caller can ask that is not opened by a scope. */
const questions: readonly (readonly [string, JsonObject])[] = [
  ['tools/list', {}],
  ['prompts/list', {}],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'cortex://architecture' }],
  ['resources/read', { uri: 'note://1' }],
  ['prompts/get', { name: 'notes_p' }],
  completion({ type: 'ref/prompt', name: 'notes_p' }),
  completion({ type: 'ref/resource', uri: 'note://{id}' }),
  tool('whoami'),
  tool('find_tools', { query: 'secret note help' }),
  tool('find_tools', { names: ['notes_secret', 'notes_nobody', 'help_get_help'] }),
  tool('list_cortex_resources'),
  tool('read_cortex_resource', { uri: 'note://1' }),
  tool('read_cortex_resource', { uri: 'cortex://architecture' }),
  tool('list_cortex_tickets', { backend: 'notes' }),
  tool('notes_secret'),
  tool('notes_nobody'),
  tool('notes_get_help'),
  tool('help_get_help', { topic: 'x' }),
  tool('notes_link'),
  ['resources/read', { uri: 'note://notes/1' }],
];

const shown = ({ status, headers, text }: Answer) => ({
  status,
  headers: [...headers].filter(([name]) => name !== 'mcp-session-id'),
  text,
});

async function saidTo(caller: McpCaller, search: string): Promise<readonly object[]> {
  const session = await caller.initialize({ search });
  const answers: object[] = [shown(await caller.modern('server/discover', {}, { search, id: 0 }))];
  if (session.answer !== undefined) answers.push(shown(session.answer));
  for (const [method, params] of questions) {
    answers.push({ method, params, ...shown(await caller.modern(method, params, { search, id: 1 })) });
    answers.push({ method, params, ...shown(await session.request(method, params, { search, id: 1 })) });
  }
  for (const uri of ['note://1', 'note://none'])
    answers.push(shown(await session.request('resources/subscribe', { uri }, { id: 2 })));
  const listening = await caller.listen(
    { toolsListChanged: true, resourceSubscriptions: ['note://1'] },
    { search, id: 3 },
  );
  answers.push(await listening.next());
  await listening.close();
  return answers;
}

const now = Math.floor(Date.now() / 1000);
const claims = { sub: 'ada', iat: now, exp: now + 3600 };
const searches = ['', '?mode=search', '?backends=notes'];

test('a caller without scopes is told, byte for byte, what a gateway without backends tells', async () => {
  const [full, empty] = [await start({ notes, help }), await start({})];
  for (const search of searches) {
    const [one, other] = [await full.caller(claims), await empty.caller(claims)];
    expect(await saidTo(one, search)).toEqual(await saidTo(other, search));
  }
  expect(full.gateway.catalog.snapshot().tools.size).toBe(3);
  const userMethods = ['notes', 'help']
    .flatMap((id) => full.backend(id).calls)
    .filter(({ headers }) => headers.has('x-cortex-user-id'));
  expect(userMethods).toEqual([]);
});

test('a caller without scopes is told, byte for byte, what a gateway without servers tells', async () => {
  const [full, empty] = [await start({}, servers), await start({})];
  for (const search of searches) {
    const [one, other] = [await full.caller(claims), await empty.caller(claims)];
    expect(await saidTo(one, search)).toEqual(await saidTo(other, search));
  }
});

test('a caller of one backend is told, byte for byte, what a gateway with that backend alone tells', async () => {
  const [both, alone] = [await start({ notes, open, help }), await start({ open })];
  const held = { ...claims, scope: 'mcp:open' };
  for (const search of searches) {
    expect(await saidTo(await both.caller(held), search)).toEqual(
      await saidTo(await alone.caller(held), search),
    );
  }
});

test('a hidden backend that is down, or comes back, changes nothing for who cannot see it', async () => {
  const running = await start({ notes, open });
  const held = await running.caller({ ...claims, scope: 'mcp:open' });
  const before = await saidTo(held, '');
  running.backend('notes').answer('list_tools', () => new Response('', { status: 503 }));
  await running.gateway.catalog.poll();
  expect(await saidTo(held, '')).toEqual(before);
});

test('what is public is the same with and without backends and servers', async () => {
  const { notes: server } = servers;
  const [full, empty] = [await start({ notes }, { calendar: server }), await start({})];
  const paths = [
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/mcp/server-card.json',
    '/healthz',
    '/readyz',
    '/',
    '/mcp',
    '/notes',
    '/admin',
    '/link',
    '/link/calendar',
    '/link/calendar?ticket=x',
    '/link/calendar/callback?state=x&code=x',
    '/link/calendar/finish',
    '/link/calendar/status',
    '/.well-known/oauth-client/calendar.json',
    '/.well-known/oauth-client/Calendar.json',
  ];
  const headersOf = ({ headers }: Response) => [...headers].filter(([name]) => name !== 'set-cookie');
  for (const path of paths) {
    const [one, other] = [await full.fetch(path), await empty.fetch(path)];
    expect([one.status, headersOf(one), await one.text()], path).toEqual([
      other.status,
      headersOf(other),
      await other.text(),
    ]);
  }
});
