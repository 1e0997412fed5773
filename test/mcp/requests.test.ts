import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpCaller, modernRevision, readAnswer } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const key = (name: string) => `io.modelcontextprotocol/${name}`;
const jsonType = { 'content-type': 'application/json' };
const revisions = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'];
let running: RunningGateway;
let ada: McpCaller;

beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'Öl', scope: 'mcp:test' },
          { name: 'echo', scope: 'mcp:test' },
        ],
      },
    },
    config: {
      gateway: { server_name: 'Ours', website_url: 'https://ours.example' },
      limits: { request_size: '1KB' },
    },
  });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterAll(() => running.close());

const posted = (body: BodyInit, headers: Readonly<Record<string, string>> = jsonType) =>
  ada.send({ method: 'POST', headers, body }).then(readAnswer);
const rpcError = (error: object, id?: string | number) => ({
  jsonrpc: '2.0',
  ...(id !== undefined && { id }),
  error,
});

describe('bodies (R2)', () => {
  const tooLarge = { code: -32600, message: 'The request body is too large' };
  test('one byte too many is 413, with and without a declared length, and the largest allowed is not', async () => {
    const exact = (size: number) => `{"pad":"${'x'.repeat(size - 10)}"}`;
    expect((await posted(exact(1024))).status).toBe(400);
    const declared = await posted(exact(1025));
    expect(declared).toMatchObject({ status: 413, message: rpcError(tooLarge) });
    const chunks = [exact(1025).slice(0, 700), exact(1025).slice(700)];
    const streamed = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    });
    expect(await posted(streamed)).toMatchObject({ status: 413, message: rpcError(tooLarge) });
  });

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/jsonp', 415],
    ['', 415],
    ['Application/JSON; charset=utf-8', 400],
    ['application/json ; charset=utf-8', 400],
  ])('a body of type "%s" is answered %i', async (type, status) => {
    const answer = await posted(new TextEncoder().encode('{'), { 'content-type': type });
    expect(answer.status).toBe(status);
    expect(answer.error.code).toBe(status === 415 ? -32600 : -32700);
  });

  test.each([['{"jsonrpc":"2.0",'], [''], [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])]])(
    'what is not JSON or not UTF-8 is 400 and -32700',
    async (body) => {
      const error = { code: -32700, message: 'Parse error: the body is not JSON' };
      expect(await posted(body)).toMatchObject({ status: 400, message: rpcError(error) });
    },
  );

  test.each([
    ['null', undefined],
    ['"text"', undefined],
    ['{"id":3,"method":"ping"}', 3],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', undefined],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', undefined],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', undefined],
    ['{"jsonrpc":"2.0","id":4,"method":7}', 4],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":[1]}', 'a'],
    ['{"jsonrpc":"2.0","id":5}', 5],
    ['{"jsonrpc":"2.0","id":5,"result":7}', 5],
  ])('%s is no JSON-RPC message: 400 and -32600, with its id where it has one', async (body, id) => {
    const answer = await posted(body);
    expect(answer.status).toBe(400);
    expect(answer.message).toEqual(
      rpcError({ code: -32600, message: 'The body is not one JSON-RPC 2.0 message' }, id),
    );
  });
});

describe('the envelope of 2026-07-28', () => {
  const mismatch = (detail: string) => ({ code: -32020, message: `Header mismatch: ${detail}` });

  test.each([
    [{ 'mcp-protocol-version': null }, 'MCP-Protocol-Version is required'],
    [{ 'mcp-protocol-version': '2025-11-25' }, 'MCP-Protocol-Version differs from _meta'],
    [{ 'mcp-method': null }, 'Mcp-Method is required'],
    [{ 'mcp-method': 'tools/list' }, 'Mcp-Method differs from the body'],
    [{ 'mcp-method': 'Tools/Call' }, 'Mcp-Method differs from the body'],
    [{ 'mcp-name': null }, 'Mcp-Name is required'],
    [{ 'mcp-name': 'whoami' }, 'Mcp-Name differs from the body'],
    [{ 'mcp-name': '=?base64?!!!?=' }, 'Mcp-Name is malformed'],
  ])('the headers %j are 400 and -32020 (R3)', async (headers, detail) => {
    const answer = await ada.tool('notes_echo', {}, { headers, id: 9 });
    expect(answer.status).toBe(400);
    expect(answer.message).toEqual(rpcError(mismatch(detail), 9));
    expect(running.backend('notes').callsOf('echo')).toHaveLength(0);
  });

  test('Mcp-Name is compared after decoding, for tools, prompts and resources alike (R3)', async () => {
    const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
    const plain = await ada.tool('whoami', {}, { headers: { 'mcp-name': encoded('whoami') } });
    expect(plain.isError).toBe(false);
    const uri = 'note://zürich';
    const read = await ada.modern('resources/read', { uri }, { headers: { 'mcp-name': encoded(uri) } });
    expect(read.error).toEqual({ code: -32602, message: 'Resource not found', data: { uri } });
    const prompt = await ada.modern('prompts/get', { name: 'a' }, { headers: { 'mcp-name': encoded('b') } });
    expect(prompt.error).toEqual(mismatch('Mcp-Name differs from the body'));
  });

  test.each([
    [{ [key('protocolVersion')]: null }, {}, key('protocolVersion')],
    [{ [key('protocolVersion')]: 7 }, {}, key('protocolVersion')],
    [{ [key('clientCapabilities')]: null }, {}, key('clientCapabilities')],
    [{ [key('clientCapabilities')]: [] }, {}, key('clientCapabilities')],
  ])('a _meta of %j is 400 and -32602 (R5)', async (meta, headers, missing) => {
    const answer = await ada.modern('tools/list', {}, { meta, headers, id: 'x' });
    expect(answer.status).toBe(400);
    const error = { code: -32602, message: `Missing or malformed _meta key ${missing}` };
    expect(answer.message).toEqual(rpcError(error, 'x'));
  });

  test('client info may be absent or nonsense: nothing depends on it (R5)', async () => {
    for (const info of [null, 7, { name: 'Agent\n"x"', version: '2' }]) {
      const answer = await ada.modern('tools/list', {}, { meta: { [key('clientInfo')]: info } });
      expect(answer.status).toBe(200);
    }
  });

  test.each([
    [{ 'mcp-protocol-version': '2031-01-01' }, '2031-01-01', '2031-01-01'],
    [{ 'mcp-protocol-version': '2025-11-25' }, '2025-11-25', '2025-11-25'],
    [{ 'mcp-protocol-version': '2024-11-05' }, null, '2024-11-05'],
  ])(
    'revision %j with %s in _meta is 400 and -32022, with the list (R6)',
    async (headers, meta, requested) => {
      const answer = await ada.modern(
        'tools/list',
        {},
        { headers, meta: { [key('protocolVersion')]: meta }, id: 2 },
      );
      expect(answer.status).toBe(400);
      const data = { supported: revisions, requested };
      expect(answer.message).toEqual(
        rpcError({ code: -32022, message: 'Unsupported protocol version', data }, 2),
      );
    },
  );

  test.each([
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'x/y',
    '',
  ])('the method "%s" is 404 and -32601 (R7)', async (method) => {
    const answer = await ada.modern(method, {}, { id: 1 });
    expect(answer.status).toBe(404);
    expect(answer.message).toEqual(rpcError({ code: -32601, message: `Method not found: ${method}` }, 1));
  });

  test('a notification is accepted with an empty 202, a response from the client is not', async () => {
    const headers = { ...jsonType, 'mcp-protocol-version': modernRevision };
    const noted = await posted('{"jsonrpc":"2.0","method":"notifications/cancelled"}', headers);
    expect([noted.status, noted.text]).toEqual([202, '']);
    expect((await posted('{"jsonrpc":"2.0","id":1,"result":{}}', headers)).status).toBe(400);
  });
});

describe('the answers of 2026-07-28', () => {
  const serverInfo = { name: 'Ours', version: '0.0.0-test' };

  test('discover names the revisions, what works, and how long it is fresh (R8)', async () => {
    const { result } = await ada.modern('server/discover');
    expect(result).toEqual({
      resultType: 'complete',
      _meta: { [key('serverInfo')]: serverInfo },
      supportedVersions: revisions,
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      instructions: expect.stringContaining('notes_get_help'),
      ttlMs: 60_000,
      cacheScope: 'private',
    });
  });

  test('every result says its type and our serverInfo; another peer’s never leaks through (R9)', async () => {
    const foreign = {
      [key('serverInfo')]: { name: 'theirs' },
      [key('subscriptionId')]: 1,
      'com.example/kept': 2,
    };
    running
      .backend('notes')
      .answer('echo', () =>
        Response.json({ content: [], _meta: foreign }, { headers: { 'X-Cortex-Result': 'mcp' } }),
      );
    const called = await ada.tool('notes_echo');
    expect(called.result).toEqual({
      resultType: 'complete',
      _meta: { 'com.example/kept': 2, [key('serverInfo')]: serverInfo },
      content: [],
    });
    for (const method of [
      'server/discover',
      'tools/list',
      'prompts/list',
      'resources/list',
      'resources/templates/list',
    ]) {
      const { result } = await ada.modern(method);
      expect(result.resultType).toBe('complete');
      expect(result._meta).toEqual({ [key('serverInfo')]: serverInfo });
    }
  });

  test('no session is minted, and a foreign session id changes nothing (R10)', async () => {
    const answer = await ada.modern('tools/list', {}, { headers: { 'mcp-session-id': 'forged' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('mcp-session-id')).toBeNull();
  });

  test.each(['GET', 'DELETE'])(
    '%s is 405, with or without an id that is not its own (R10)',
    async (method) => {
      const modern = { 'mcp-protocol-version': modernRevision, accept: 'text/event-stream' };
      for (const headers of [
        { accept: 'text/event-stream' },
        modern,
        { ...modern, 'mcp-session-id': 'forged' },
      ]) {
        const answer = await ada.send({ method, headers }).then(readAnswer);
        expect(answer.status).toBe(405);
        expect(answer.headers.get('allow')).toBe('POST');
        expect(answer.message).toEqual(rpcError({ code: -32600, message: 'Method not allowed' }));
      }
    },
  );
});
