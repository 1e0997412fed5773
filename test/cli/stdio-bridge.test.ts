import { beforeEach, describe, expect, test } from 'vitest';
import { type Bridge, createBridge } from '#cli/stdio/bridge.ts';
import type { Tokens } from '#cli/stdio/tokens.ts';
import { createUpstream } from '#cli/stdio/upstream.ts';
import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { freePort } from '../support/free-port.ts';

/** What the gateway of a test saw. */
interface Seen {
  readonly verb: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: JsonObject;
  readonly signal: AbortSignal;
}
type Answer = (seen: Seen) => Response | Promise<Response> | undefined;

let lines: string[] = [];
let seen: Seen[] = [];
let notes: string[] = [];
beforeEach(() => {
  lines = [];
  seen = [];
  notes = [];
});

const revision = '2026-07-28';
const _meta = { 'io.modelcontextprotocol/protocolVersion': revision };
const modern = (method: string, params: JsonObject = {}) => ({ method, params: { ...params, _meta } });
const result = (seen: Seen, value: JsonObject) =>
  Response.json({ jsonrpc: '2.0', id: seen.body.id ?? null, result: value });

/** An event stream of these messages; it stays open unless told. */
function stream(messages: readonly unknown[], end: 'stays' | 'ends'): Response {
  const text = messages.map((message) => `data: ${JSON.stringify(message)}\n\n`).join('');
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`: open\n\n${text}`));
      if (end === 'ends') controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

function serve(answer: Answer, port = 0) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    idleTimeout: 0,
    async fetch(request) {
      const parsed = parseJson(await request.text());
      const body = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
      const { headers, signal, method: verb } = request;
      const about: Seen = { verb, method: String(body.method ?? ''), headers, body, signal };
      seen.push(about);
      return (await answer(about)) ?? new Response(null, { status: verb === 'GET' ? 405 : 202 });
    },
  });
  return { url: `${server.url.origin}/mcp`, stop: () => server.stop(true) };
}

const oneToken: Tokens = { current: async () => new Secret('the-token'), renew: async () => undefined };

interface Client extends AsyncDisposable {
  readonly bridge: Bridge;
  send(message: JsonObject | string): void;
  messages(): readonly JsonObject[];
  answer(id: number): Promise<JsonObject>;
}

function connect(url: string, tokens: Tokens = oneToken): Client {
  const outbound = createOutbound();
  const note = (text: string) => void notes.push(text);
  const upstream = createUpstream({ url, outbound, tokens, userAgent: 'test', note });
  const bridge = createBridge({ upstream, write: (line) => lines.push(line), note, random: () => 0 });
  const messages = () => lines.map((line): JsonObject => JSON.parse(line));
  return {
    bridge,
    send: (message) =>
      bridge.take(typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })),
    messages,
    async answer(id) {
      const find = () => messages().find((message) => message.id === id && message.method === undefined);
      await until(() => find() !== undefined);
      return find() ?? {};
    },
    async [Symbol.asyncDispose]() {
      await bridge.end();
      await outbound.close();
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 20_000, interval: 5 }).toBe(true);
}

const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
};
const agreed = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } },
  serverInfo: { name: 'g', version: '1' },
};

/** Sessions as the gateway of the 2025 revisions keeps them; `lost` ends the newest. */
function sessions(answer: Answer = () => undefined) {
  let number = 0;
  let isLost = false;
  const of: Answer = (about) => {
    if (about.method === 'initialize') {
      number += 1;
      isLost = false;
      const headers = { 'mcp-session-id': `s${number}` };
      return Response.json({ jsonrpc: '2.0', id: about.body.id ?? null, result: agreed }, { headers });
    }
    const isNewest = !isLost && about.headers.get('mcp-session-id') === `s${number}`;
    if (!isNewest && about.verb !== 'DELETE')
      return Response.json(
        { jsonrpc: '2.0', id: about.body.id ?? null, error: { code: -32000, message: 'no such session' } },
        { status: 404 },
      );
    return answer(about);
  };
  return {
    of,
    lose: () => {
      isLost = true;
    },
  };
}

describe('the bridge, for a client of the 2025 revisions', () => {
  test('carries session and revision, and ends the session with the client', async () => {
    const kept = sessions((about) =>
      about.method === 'tools/list' ? result(about, { tools: [] }) : undefined,
    );
    const gateway = serve(kept.of);
    const client = connect(gateway.url);
    client.send(initialize);
    await client.answer(1);
    client.send({ id: 2, method: 'tools/list' });
    await client.answer(2);
    const call = seen.find(({ method }) => method === 'tools/list');
    expect(call?.headers.get('mcp-session-id')).toBe('s1');
    expect(call?.headers.get('mcp-protocol-version')).toBe('2025-11-25');
    expect(call?.headers.get('authorization')).toBe('Bearer the-token');
    await client[Symbol.asyncDispose]();
    expect(seen.at(-1)?.verb).toBe('DELETE');
    await gateway.stop();
  });

  test('begins a lost session again, once for all calls, with the log level and subscriptions of before', async () => {
    const kept = sessions((about) =>
      about.body.id === undefined ? undefined : result(about, { tools: [] }),
    );
    const gateway = serve(kept.of);
    await using client = connect(gateway.url);
    client.send(initialize);
    await client.answer(1);
    client.send({ method: 'notifications/initialized' });
    client.send({ id: 2, method: 'logging/setLevel', params: { level: 'error' } });
    client.send({ id: 3, method: 'resources/subscribe', params: { uri: 'note://1' } });
    await client.answer(3);
    await client.answer(2);
    kept.lose();
    client.send({ id: 4, method: 'tools/call', params: { name: 'a' } });
    client.send({ id: 5, method: 'tools/call', params: { name: 'b' } });
    expect(await client.answer(4)).toHaveProperty('result');
    expect(await client.answer(5)).toHaveProperty('result');
    expect(seen.filter(({ method }) => method === 'initialize')).toHaveLength(2);
    const later = seen
      .filter(({ headers }) => headers.get('mcp-session-id') === 's2')
      .map(({ method }) => method);
    expect(later).toEqual(
      expect.arrayContaining([
        'notifications/initialized',
        'logging/setLevel',
        'resources/subscribe',
        'tools/call',
      ]),
    );
    // The client asked once and is answered once.
    expect(client.messages().filter(({ id }) => id === 1)).toHaveLength(1);
    await gateway.stop();
  });

  test('opens a broken stream again and tells that anything may have changed', async () => {
    let streams = 0;
    const kept = sessions((about) => {
      if (about.verb !== 'GET') return undefined;
      streams += 1;
      const changed = { jsonrpc: '2.0', method: 'notifications/prompts/list_changed' };
      return streams === 1 ? stream([changed], 'ends') : stream([], 'stays');
    });
    const gateway = serve(kept.of);
    await using client = connect(gateway.url);
    client.send(initialize);
    await client.answer(1);
    client.send({ method: 'notifications/initialized' });
    await until(() => lines.length >= 4);
    expect(client.messages().flatMap(({ method }) => (method === undefined ? [] : [method]))).toEqual([
      'notifications/prompts/list_changed',
      'notifications/tools/list_changed',
      'notifications/resources/list_changed',
    ]);
    await gateway.stop();
  });

  test('takes a question of the gateway’s to the client and the answer back', async () => {
    const answered = Promise.withResolvers<JsonObject>();
    const kept = sessions((about) => {
      if (about.method === 'tools/call')
        return stream([{ jsonrpc: '2.0', id: 'q1', method: 'elicitation/create', params: {} }], 'stays');
      if (about.body.id === 'q1') answered.resolve(about.body);
      return undefined;
    });
    const gateway = serve(kept.of);
    await using client = connect(gateway.url);
    client.send(initialize);
    await client.answer(1);
    client.send({ id: 2, method: 'tools/call', params: { name: 'ask' } });
    await until(() => client.messages().some(({ id }) => id === 'q1'));
    client.send({ id: 'q1', result: { action: 'accept' } });
    expect(await answered.promise).toMatchObject({ id: 'q1', result: { action: 'accept' } });
    await gateway.stop();
  });
});

describe('the bridge, for a client of 2026-07-28', () => {
  test('says in headers what the era wants', async () => {
    const gateway = serve((about) => result(about, { resultType: 'complete' }));
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('resources/read', { uri: 'note://Zürich' }) });
    await client.answer(1);
    const headers = seen[0]?.headers;
    expect(headers?.get('mcp-protocol-version')).toBe(revision);
    expect(headers?.get('mcp-method')).toBe('resources/read');
    expect(headers?.get('mcp-name')).toMatch(/^=\?base64\?/);
    expect(headers?.has('mcp-session-id')).toBe(false);
    await gateway.stop();
  });

  test('learns which arguments go into headers where the gateway misses one, and calls again', async () => {
    const gateway = serve((about) => {
      if (about.method === 'tools/list') {
        const inputSchema = {
          type: 'object',
          properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
        };
        return result(about, { tools: [{ name: 'buy', inputSchema }] });
      }
      if (about.headers.get('mcp-param-region') === 'eu') return result(about, { content: [] });
      const error = { code: -32020, message: 'header mismatch' };
      return Response.json({ jsonrpc: '2.0', id: about.body.id ?? null, error }, { status: 400 });
    });
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'buy', arguments: { region: 'eu' } }) });
    expect(await client.answer(1)).toHaveProperty('result');
    client.send({ id: 2, ...modern('tools/call', { name: 'buy', arguments: { region: 'eu' } }) });
    expect(await client.answer(2)).toHaveProperty('result');
    expect(seen.map(({ method }) => method)).toEqual([
      'tools/call',
      'tools/list',
      'tools/call',
      'tools/call',
    ]);
    await gateway.stop();
  });

  test('cancels by closing the stream, and answers a cancelled request no more', async () => {
    const gateway = serve(() =>
      stream([{ jsonrpc: '2.0', method: 'notifications/progress', params: {} }], 'stays'),
    );
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'hang' }) });
    await until(() => lines.length === 1);
    client.send({ method: 'notifications/cancelled', params: { requestId: 1 } });
    await until(() => seen[0]?.signal.aborted === true);
    await client.bridge.settled();
    expect(client.messages().some(({ id }) => id === 1)).toBe(false);
    await gateway.stop();
  });

  test('keeps listening over a break: acknowledged once, and told that anything may have changed', async () => {
    let streams = 0;
    const gateway = serve((about) => {
      streams += 1;
      const subscription = { 'io.modelcontextprotocol/subscriptionId': about.body.id };
      const acknowledged = {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: {
          notifications: { toolsListChanged: true, resourceSubscriptions: ['note://1'] },
          _meta: subscription,
        },
      };
      return stream([acknowledged], streams === 1 ? 'ends' : 'stays');
    });
    await using client = connect(gateway.url);
    client.send({ id: 9, ...modern('subscriptions/listen', { notifications: { toolsListChanged: true } }) });
    await until(() => lines.length === 3);
    expect(client.messages().map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
      'notifications/resources/updated',
    ]);
    expect(lines[1]).toContain('"io.modelcontextprotocol/subscriptionId":9');
    await gateway.stop();
  });

  test('hands on why it may not listen', async () => {
    const gateway = serve((about) =>
      Response.json(
        { jsonrpc: '2.0', id: about.body.id ?? null, error: { code: -32000, message: 'too many streams' } },
        { status: 429 },
      ),
    );
    await using client = connect(gateway.url);
    client.send({ id: 9, ...modern('subscriptions/listen') });
    expect(JSON.stringify(await client.answer(9))).toContain('too many streams');
    await gateway.stop();
  });
});

describe('the bridge, when the way breaks', () => {
  test('never repeats a call that may have been done, and says so', async () => {
    const gateway = serve(() => stream([], 'ends'));
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'pay' }) });
    expect(JSON.stringify((await client.answer(1)).error)).toContain('may have been done');
    expect(seen).toHaveLength(1);
    await gateway.stop();
  });

  test('repeats what only reads', async () => {
    let times = 0;
    const gateway = serve((about) => {
      times += 1;
      return times === 1 ? new Response('bad gateway', { status: 502 }) : result(about, { tools: [] });
    });
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/list') });
    expect(await client.answer(1)).toHaveProperty('result');
    expect(notes.join()).toContain('trying again');
    await gateway.stop();
  });

  test('waits for a gateway that is being restarted, calls too: nothing of them was sent', async () => {
    const port = freePort();
    await using client = connect(`http://127.0.0.1:${port}/mcp`);
    client.send({ id: 1, ...modern('tools/call', { name: 'pay' }) });
    await until(() => notes.length > 0);
    const gateway = serve((about) => result(about, { content: [] }), port);
    expect(await client.answer(1)).toHaveProperty('result');
    expect(seen).toHaveLength(1);
    await gateway.stop();
  });
});

describe('the bridge writes nothing but the protocol', () => {
  test('one line a message, whatever a gateway puts between', async () => {
    const gateway = serve((about) => {
      const pretty = JSON.stringify({ jsonrpc: '2.0', id: about.body.id, result: { a: 1 } }, undefined, 2);
      const text = [
        'data: not json',
        'event: other\ndata: {"jsonrpc":"2.0","method":"notifications/x"}',
        'data: {"no":"message"}',
        `data: {"jsonrpc":"2.0","id":77,"result":{"of":"another"}}`,
        pretty
          .split('\n')
          .map((line) => `data: ${line}`)
          .join('\n'),
        '',
      ].join('\n\n');
      return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    });
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'a' }) });
    expect(await client.answer(1)).toMatchObject({ result: { a: 1 } });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('\n');
    await gateway.stop();
  });

  test('an answer that is none becomes an error in words', async () => {
    const gateway = serve(() => new Response('<html>\u001b[2J</html>', { status: 418 }));
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'a' }) });
    expect((await client.answer(1)).error).toMatchObject({
      message: 'The gateway answered with status 418.',
    });
    await gateway.stop();
  });

  test('progress and log come before the answer, in their order', async () => {
    const progress = (step: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 7, progress: step },
    });
    const gateway = serve(({ body }) =>
      stream([progress(1), progress(2), { jsonrpc: '2.0', id: body.id, result: {} }], 'ends'),
    );
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'a' }) });
    await client.answer(1);
    expect(client.messages()).toEqual([progress(1), progress(2), { jsonrpc: '2.0', id: 1, result: {} }]);
    await gateway.stop();
  });

  test('big numbers and unknown keys come as they were sent', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890,"x-unknown":[1.10]}}';
    const gateway = serve(() => new Response(text, { headers: { 'content-type': 'application/json' } }));
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'a' }) });
    await client.answer(1);
    expect(lines).toEqual([text]);
    await gateway.stop();
  });

  test('lines of a client that are none are refused, and the next one is read', async () => {
    const gateway = serve((about) => result(about, {}));
    await using client = connect(gateway.url);
    client.send('{');
    client.send('{"jsonrpc":"1.0","id":5,"method":"x"}');
    client.send(JSON.stringify([{ jsonrpc: '2.0', id: 6, ...modern('tools/list') }]));
    await client.answer(6);
    expect(
      client.messages().map(({ id, error }) => [id, isJsonObject(error) ? error.code : undefined]),
    ).toEqual([
      [undefined, -32700],
      [5, -32600],
      [6, undefined],
    ]);
    await gateway.stop();
  });
});

describe('the token', () => {
  test('follows no redirect to another origin (R39)', async () => {
    const thief = serve(() => new Response(null, { status: 200 }));
    const gateway = serve(() => new Response(null, { status: 307, headers: { location: thief.url } }));
    await using client = connect(gateway.url);
    client.send({ id: 1, ...modern('tools/call', { name: 'a' }) });
    expect(await client.answer(1)).toHaveProperty('error');
    expect(seen).toHaveLength(1);
    await gateway.stop();
    await thief.stop();
  });

  test('is replaced once where it is refused, and with more scopes where they are missing', async () => {
    const wishes: unknown[] = [];
    const tokens: Tokens = {
      current: async () => new Secret('old'),
      async renew(refused, wish) {
        wishes.push([refused?.reveal(), wish.scopes ?? []]);
        return new Secret(wish.scopes === undefined ? 'new' : 'wider');
      },
    };
    const gateway = serve((about) => {
      const token = about.headers.get('authorization');
      if (token === 'Bearer old') return new Response(null, { status: 401 });
      const challenge = 'Bearer error="insufficient_scope", scope="mcp:pay"';
      if (token === 'Bearer new')
        return new Response(null, { status: 403, headers: { 'www-authenticate': challenge } });
      return result(about, { content: [] });
    });
    await using client = connect(gateway.url, tokens);
    client.send({ id: 1, ...modern('tools/call', { name: 'pay' }) });
    expect(await client.answer(1)).toHaveProperty('result');
    expect(wishes).toEqual([
      ['old', []],
      ['new', ['mcp:pay']],
    ]);
    await gateway.stop();
  });

  test('is asked of nobody for what happens in the background', async () => {
    const asked: boolean[] = [];
    const tokens: Tokens = {
      current: async () => undefined,
      async renew(_refused, { mayAsk }) {
        asked.push(mayAsk);
        return undefined;
      },
    };
    const kept = sessions((about) =>
      about.verb === 'GET' ? new Response(null, { status: 401 }) : undefined,
    );
    const gateway = serve(kept.of);
    await using client = connect(gateway.url, tokens);
    client.send(initialize);
    await client.answer(1);
    client.send({ method: 'notifications/initialized' });
    await until(() => asked.length > 0);
    expect(asked).not.toContain(true);
    await gateway.stop();
  });
});
