import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';

/**
 * A child with a will of its own; its first argument says which. It answers `echo` requests, and is nothing of an MCP
 * server beyond that.
 */
const [, , manner = 'plain', ...rest] = process.argv;
const say = (text: string): void => {
  let bytes: Uint8Array = Buffer.from(text);
  while (bytes.byteLength > 0) bytes = bytes.subarray(writeSync(1, bytes));
};
const answer = (id: unknown, result: object): void =>
  say(`${JSON.stringify({ result, jsonrpc: '2.0', id })}\n`);

if (manner === 'exits') process.exit(7);
if (manner === 'stubborn' || manner === 'forks') process.on('SIGTERM', () => {});
if (manner === 'floods') for (;;) say(`${'garbage '.repeat(1_000)}\n`);
if (manner === 'floods-unended') for (;;) say('garbage '.repeat(1_000));
if (manner === 'chatters')
  for (;;)
    say(
      `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })}\n`,
    );
if (manner === 'talks') {
  for (let line = 0; line < 1_000; line++) writeSync(2, `line ${line} ${process.env.TOKEN}\n`);
  writeSync(2, `${'x'.repeat(100_000)}\n`);
}
// The first dies of SIGTERM, the second does not, the third leaves its parent before.
const sleeper = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000)";
const pids =
  manner === 'forks'
    ? [
        Bun.spawn(['sleep', '1000'], { stdin: 'ignore' }).pid,
        Bun.spawn([process.execPath, '-e', sleeper], { stdin: 'ignore' }).pid,
        Number(
          (
            await new Response(Bun.spawn(['sh', '-c', 'sleep 1000 >/dev/null & echo $!']).stdout).text()
          ).trim(),
        ),
      ]
    : [];

function about(): object {
  const descriptors = readdirSync('/proc/self/fd').map((name) => {
    try {
      return `${name} ${readlinkSync(`/proc/self/fd/${name}`)}`;
    } catch {
      return `${name} gone`;
    }
  });
  return {
    pid: process.pid,
    pids,
    argv: rest,
    cwd: process.cwd(),
    descriptors,
    environ: readFileSync('/proc/self/environ', 'utf8'),
  };
}

const decoder = new TextDecoder();
let pending = '';
for await (const chunk of Bun.stdin.stream()) {
  const lines = (pending + decoder.decode(chunk, { stream: true })).split('\n');
  pending = lines.pop() ?? '';
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    switch (method) {
      case 'echo':
        answer(id, { params });
        break;
      case 'about':
        answer(id, about());
        break;
      case 'bye':
        answer(id, { text: 'x'.repeat(200_000) });
        process.exit(0);
        break;
      case 'die':
        process.exit(3);
        break;
      case 'crash':
        process.kill(process.pid, 'SIGKILL');
        break;
      case 'garbage':
        say('not json\n{"jsonrpc":"2.0"}\n[1]\n\n\r\n{"half":');
        say('\n');
        writeSync(1, new Uint8Array([0xff, 0xfe, 0x0a]));
        answer(id, { after: 'garbage' });
        break;
      case 'pieces': {
        const text = `${JSON.stringify({ jsonrpc: '2.0', id, result: { text: 'Zürich – 東京 ☕' } })}\r\n`;
        for (const byte of Buffer.from(text)) writeSync(1, new Uint8Array([byte]));
        break;
      }
      case 'huge':
        answer(id, { text: 'x'.repeat(Number(params.bytes)) });
        break;
      case 'unfinished':
        say(`{"jsonrpc":"2.0","id":${id},"result":`);
        process.exit(0);
        break;
      case 'ask':
        say(`${JSON.stringify({ jsonrpc: '2.0', id: 'q1', method: 'roots/list' })}\n`);
        break;
      case 'hang':
        break;
      default:
        break;
    }
  }
}
if (manner === 'stubborn') setInterval(() => {}, 1_000);
