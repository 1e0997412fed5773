import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeHeaderValue } from '#wire/header-value.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
let ada: McpCaller;

beforeAll(async () => {
  const inputSchema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
      where: {
        type: 'object',
        properties: { tenant: { type: 'string', 'x-mcp-header': 'Tenant' } },
      },
    },
  };
  running = await runGateway({
    backends: {
      db: {
        tools: [
          { name: 'query', scope: 'mcp:test', inputSchema },
          { name: 'hidden', scope: 's', inputSchema },
        ],
      },
    },
  });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterAll(() => running.close());

const call = (args: object, headers: Readonly<Record<string, string>>) =>
  ada.tool('db_query', JSON.parse(JSON.stringify(args)), { headers });

test.each([
  [{ region: 'us-west1' }, { 'mcp-param-region': 'us-west1' }],
  [{ region: 'us-west1' }, { 'MCP-PARAM-REGION': 'us-west1' }],
  [{ region: 'Zürich 東京' }, { 'mcp-param-region': encodeHeaderValue('Zürich 東京') }],
  [{ region: ' padded ' }, { 'mcp-param-region': encodeHeaderValue(' padded ') }],
  [{ region: 'plain' }, { 'mcp-param-region': '=?base64?cGxhaW4=?=' }],
  [{ region: '' }, { 'mcp-param-region': '' }],
  [{ count: 42 }, { 'mcp-param-count': '42' }],
  [{ count: 42 }, { 'mcp-param-count': '42.0' }],
  [{ count: -7 }, { 'mcp-param-count': '-7' }],
  [{ dry: true }, { 'mcp-param-dry': 'true' }],
  [{ where: { tenant: 'a' } }, { 'mcp-param-tenant': 'a' }],
  [{ region: null, where: null }, {}],
  [{}, {}],
  [{ other: 1 }, { 'mcp-param-other': 'anything' }],
])('arguments %j with headers %j agree (R4)', async (args, headers) => {
  const answer = await call(args, headers);
  expect(answer.status).toBe(200);
  expect(answer.isError).toBe(false);
});

test.each([
  [{ region: 'us' }, {}, 'Mcp-Param-Region is required'],
  [{ region: '' }, {}, 'Mcp-Param-Region is required'],
  [{ region: 'us' }, { 'mcp-param-region': 'eu' }, 'Mcp-Param-Region differs from the body'],
  [{ region: 'us' }, { 'mcp-param-region': 'US' }, 'Mcp-Param-Region differs from the body'],
  [{ region: 'us' }, { 'mcp-param-region': 'z\u00fcrich' }, 'Mcp-Param-Region is malformed'],
  [{ region: 'plain' }, { 'mcp-param-region': '=?base64?cGxhaW4?=' }, 'Mcp-Param-Region is malformed'],
  [{ region: '\ufffd' }, { 'mcp-param-region': '=?base64?/w==?=' }, 'Mcp-Param-Region is malformed'],
  [{}, { 'mcp-param-region': 'us' }, 'Mcp-Param-Region has no argument in the body'],
  [{ region: null }, { 'mcp-param-region': 'null' }, 'Mcp-Param-Region has no argument in the body'],
  [{ count: 42 }, { 'mcp-param-count': '43' }, 'Mcp-Param-Count differs from the body'],
  [{ count: 42 }, { 'mcp-param-count': '0x2a' }, 'Mcp-Param-Count differs from the body'],
  [{ count: 42 }, { 'mcp-param-count': '4.2e1' }, 'Mcp-Param-Count differs from the body'],
  [{ count: 2 ** 53 }, { 'mcp-param-count': '9007199254740993' }, 'Mcp-Param-Count differs from the body'],
  [{ count: 0 }, { 'mcp-param-count': '' }, 'Mcp-Param-Count differs from the body'],
  [{ dry: true }, { 'mcp-param-dry': 'True' }, 'Mcp-Param-Dry differs from the body'],
  [{ region: ['us'] }, { 'mcp-param-region': 'us' }, 'Mcp-Param-Region differs from the body'],
  [{ where: { tenant: 'a' } }, { 'mcp-param-tenant': 'b' }, 'Mcp-Param-Tenant differs from the body'],
  [{ where: 'a' }, { 'mcp-param-tenant': 'a' }, 'Mcp-Param-Tenant has no argument in the body'],
])('arguments %j with headers %j are 400 and -32020: %s (R4)', async (args, headers, detail) => {
  const before = running.backend('db').callsOf('query').length;
  const answer = await call(args, headers);
  expect(answer.status).toBe(400);
  expect(answer.error).toEqual({ code: -32020, message: `Header mismatch: ${detail}` });
  expect(running.backend('db').callsOf('query')).toHaveLength(before);
});

test('a tool beyond the caller’s scopes is unknown whatever its headers say (R4, R36)', async () => {
  const hidden = await ada.tool('db_hidden', { region: 'us' });
  expect(hidden.error).toEqual({ code: -32602, message: 'Unknown tool: db_hidden' });
});

test('the older protocol has no such headers (R4)', async () => {
  const session = await ada.initialize();
  expect((await session.tool('db_query', { region: 'us' })).isError).toBe(false);
});

test('search mode lists exactly the annotated properties, so that clients can still mirror them (R4)', async () => {
  const { result } = await ada.modern('tools/list', {}, { search: '?mode=search' });
  expect(JSON.stringify(result.tools)).toContain(
    '"properties":{"region":{"type":"string","x-mcp-header":"Region"},"count":{"type":"integer","x-mcp-header":"Count"},' +
      '"dry":{"type":"boolean","x-mcp-header":"Dry"},"where":{"type":"object","properties":{"tenant":{"type":"string","x-mcp-header":"Tenant"}}}}',
  );
});
