import { writeSync } from 'node:fs';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/**
 * A native MCP server over stdio, written by hand so that it can do what no SDK lets a server do. Its first argument is the
 * era it speaks, its second the manner in which it starts.
 */
const [, , era = 'legacy', manner = ''] = process.argv;
if (manner === 'exits') process.exit(1);
if (manner === 'silent') await new Promise(() => setInterval(() => {}, 1_000));

let isModern = era === 'modern';
let asking: unknown;
let answered: unknown = 'nothing yet';
const question = {
  message: 'Who?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
};

function say(message: object): void {
  let bytes: Uint8Array = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  while (bytes.byteLength > 0) bytes = bytes.subarray(writeSync(1, bytes));
}
function result(id: unknown, members: object): void {
  say({ id, result: isModern ? { resultType: 'complete', ...members } : members });
}
function text(id: unknown, value: unknown): void {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  result(id, { content: [{ type: 'text', text: shown }] });
}

function fork(): readonly number[] {
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000)";
  return [
    Bun.spawn(['sleep', '1000'], { stdin: 'ignore' }).pid,
    Bun.spawn([process.execPath, '-e', stubborn], { stdin: 'ignore' }).pid,
  ];
}

function ask(id: unknown, params: JsonObject): void {
  if (!isModern) {
    asking = id;
    say({ id: 'q', method: 'elicitation/create', params: question });
  } else if (params.inputResponses !== undefined) text(id, params.inputResponses);
  else {
    const inputRequests = { who: { method: 'elicitation/create', params: question } };
    say({ id, result: { resultType: 'input_required', inputRequests, requestState: 's' } });
  }
}

type Act = (id: unknown, args: JsonObject, params: JsonObject) => void;
/** Its tools. */
const acts = new Map<string, Act>([
  ['echo', text],
  ['pid', (id) => text(id, String(process.pid))],
  ['fork', (id) => text(id, [process.pid, ...fork()])],
  ['die', () => process.exit(3)],
  ['crash', () => void process.kill(process.pid, 'SIGKILL')],
  ['hang', () => {}],
  [
    'garbage',
    (id) => {
      writeSync(1, `not json\n{"jsonrpc":"2.0","id":${JSON.stringify(id)}}\n\n`);
      text(id, 'after garbage');
    },
  ],
  ['huge', (id, { bytes }) => text(id, 'x'.repeat(Number(bytes)))],
  ['odd', (id) => say({ id, result: isModern ? { resultType: 'never-heard-of' } : 7 })],
  ['empty', (id) => say({ id, result: isModern ? { resultType: 'complete' } : {} })],
  [
    'switch',
    (id) => {
      text(id, 'switched');
      isModern = !isModern;
    },
  ],
  ['ask', (id, _args, params) => ask(id, params)],
  // Whoever called may have given up by then.
  ['ask-later', (id, _args, params) => void setTimeout(() => ask(id, params), 400)],
  ['answer', (id) => text(id, answered)],
]);
const tools = [...acts.keys()].map((name) => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object' },
}));

const serverInfo = { name: 'by-hand', version: '1' };
function answer(id: unknown, method: string, params: JsonObject): void {
  const hints = isModern ? { ttlMs: 60_000, cacheScope: 'public' } : {};
  const act = method === 'tools/call' ? acts.get(String(params.name)) : undefined;
  if (act !== undefined) act(id, isJsonObject(params.arguments) ? params.arguments : {}, params);
  else if (method === 'tools/list') result(id, { tools, ...hints });
  else if (method === 'server/discover' && isModern)
    result(id, { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo, ...hints });
  else if (method === 'initialize' && !isModern)
    result(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo });
  else if (method === 'ping' && !isModern) result(id, {});
  else say({ id, error: { code: -32601, message: 'Method not found' } });
}

const decoder = new TextDecoder();
let pending = '';
for await (const chunk of Bun.stdin.stream()) {
  const lines = (pending + decoder.decode(chunk, { stream: true })).split('\n');
  pending = lines.pop() ?? '';
  for (const line of lines) {
    const message: unknown = JSON.parse(line);
    if (!isJsonObject(message)) continue;
    const { id, method } = message;
    if (id === 'q') {
      answered = message.result ?? message.error ?? null;
      text(asking, answered);
    } else if (typeof method === 'string' && id !== undefined)
      answer(id, method, isJsonObject(message.params) ? message.params : {});
  }
}
