import { createSocket } from 'node:dgram';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readAnchors } from '#audit/anchor-ledger.ts';
import type { AnchorSink } from '#audit/anchors.ts';
import { createChain, newChainHead } from '#audit/chain.ts';
import { createOtlpSink } from '#audit/otlp-sink.ts';
import { createSyslogSink } from '#audit/syslog-sink.ts';
import { createWebhookSink } from '#audit/webhook-sink.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { createMessageSocket } from '#outbound/message-socket.ts';
import { createOutbound, type Outbound } from '#outbound/outbound.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { anchorsOver, checkpointsOf, hurried, keptAnchors } from './support/anchor-kit.ts';
import { facts, openTestAudit, recordingLog, signer, tempDir } from './support/audit-kit.ts';

let dir = '';
let outbound: Outbound;
const closings: (() => unknown)[] = [];
beforeEach(() => {
  dir = tempDir();
  outbound = createOutbound();
});
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await outbound.close();
  rmSync(dir, { recursive: true, force: true });
});

/** `count` checkpoints of one chain. */
function someAnchors(count: number): readonly string[] {
  const chain = createChain(newChainHead('abcabcabcabc'), signer);
  return Array.from({ length: count }, () => {
    chain.append('call', 0, {});
    return chain.checkpoint(0, {});
  });
}
function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer, idleTimeout: 30 });
  closings.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}/anchors`;
}
async function anchorsIn(text: string) {
  const file = join(dir, 'anchors');
  writeFileSync(file, text);
  return readAnchors([file], signer);
}

describe('what leaves', () => {
  test('every checkpoint that is in the files, and nothing that is not', async () => {
    const { anchors, lines } = keptAnchors();
    const audit = await openTestAudit(dir, { anchors, rotateBytes: 100_000 });
    for (let index = 0; index < 2_500; index++) await audit.record(facts());
    await audit.close();
    expect(lines).toEqual(checkpointsOf(dir));
    expect(lines.length).toBeGreaterThan(8);
  });

  test('nothing while records cannot be written, and the last checkpoint once they can', async () => {
    const { anchors, lines } = keptAnchors();
    const audit = await openTestAudit(dir, { anchors, rotateBytes: 1 });
    await audit.act('admin', { action: 'first' });
    const before = lines.length;
    const { chain } = audit.status();
    const blocked = join(dir, `audit-${chain}-000003.jsonl`);
    await Bun.write(join(blocked, 'x'), 'x');
    await audit.act('admin', { action: 'second' });
    await Bun.sleep(100);
    expect(audit.status().failingSince).toBeDefined();
    expect(lines).toHaveLength(before);
    rmSync(blocked, { recursive: true });
    await audit.close();
    expect(lines.at(-1)).toBe(checkpointsOf(dir).at(-1));
    expect(checkpointsOf(dir)).toEqual(expect.arrayContaining(lines));
  });
});

describe('a webhook', () => {
  test('gets JSON lines with its token, and what it got, put together, is a file of anchors', async () => {
    let body = '';
    let head: Headers | undefined;
    const url = serve(async (request) => {
      head = request.headers;
      body += await request.text();
      return new Response(undefined, { status: 204 });
    });
    const anchors = anchorsOver([createWebhookSink({ url, token: new Secret('of-the-webhook'), outbound })]);
    const audit = await openTestAudit(dir, { anchors });
    for (let index = 0; index < 1_200; index++) await audit.record(facts());
    await audit.close();
    expect(head?.get('content-type')).toBe('application/x-ndjson');
    expect(head?.get('authorization')).toBe('Bearer of-the-webhook');
    expect(body.trimEnd().split('\n')).toEqual(checkpointsOf(dir));
    expect(await anchorsIn(body)).toMatchObject({ count: 2, repeated: 0, problems: [] });
  });

  test.each([
    ['says no', () => new Response('no', { status: 500 }), 'status 500'],
    [
      'leads elsewhere',
      () => new Response(undefined, { status: 302, headers: { location: 'http://127.0.0.1:1/' } }),
      'status 302',
    ],
    ['answers without end', () => new Response('x'.repeat(200_000)), 'too_large'],
  ])('that %s has not got it: it is tried again, and said once', async (_name, answer, cause) => {
    let isBad = true;
    let calls = 0;
    const url = serve(() => {
      calls += 1;
      return isBad ? answer() : new Response('ok');
    });
    const log = recordingLog();
    const anchors = anchorsOver([createWebhookSink({ url, token: undefined, outbound })], log, hurried);
    const [line = ''] = someAnchors(1);
    anchors.ship(line);
    while (calls < 3) await Bun.sleep(5);
    expect(anchors.status()).toMatchObject([{ delivered: 0, failingSince: expect.any(Number) }]);
    isBad = false;
    while (anchors.status()[0]?.delivered !== 1) await Bun.sleep(5);
    await anchors.close();
    expect(log.events.map(({ event }) => event)).toEqual([
      'audit.anchors_failing',
      'audit.anchors_recovered',
    ]);
    expect(log.events[0]?.fields).toMatchObject({ sink: 'webhook', cause });
    expect(JSON.stringify(log.events)).not.toContain(url);
  });

  test('that hangs holds up neither records nor the end, and the end says what is missing', async () => {
    const url = serve(() => new Promise(() => {}));
    const log = recordingLog();
    const anchors = anchorsOver([createWebhookSink({ url, token: undefined, outbound })], log, hurried);
    const audit = await openTestAudit(dir, { anchors, durability: 'call' });
    for (let index = 0; index < 1_500; index++) audit.record(facts());
    expect(await audit.record(facts())).toBe(true);
    const elapsedMs = stopwatch();
    await audit.close();
    expect(elapsedMs()).toBeLessThan(3_000);
    expect(log.events.at(-1)).toMatchObject({
      event: 'audit.anchors_undelivered',
      fields: { sink: 'webhook', waiting: 2 },
    });
  });
});

describe('a sink that takes nothing', () => {
  test('makes the queue lose the oldest and keep the newest, and is complained of once', async () => {
    const log = recordingLog();
    let isUp = false;
    const got: string[] = [];
    const sink: AnchorSink = {
      name: 'syslog',
      async send(lines) {
        if (isUp) got.push(...lines);
        return isUp ? ok(undefined) : err('down');
      },
      close() {},
    };
    const anchors = anchorsOver([sink], log, hurried);
    const lines = someAnchors(limits.maxWaitingAnchors + 50);
    for (const line of lines) {
      anchors.ship(line);
      await Promise.resolve();
    }
    await Bun.sleep(50);
    expect(anchors.status()).toMatchObject([
      { sink: 'syslog', delivered: 0, waiting: limits.maxWaitingAnchors, dropped: 50 },
    ]);
    isUp = true;
    await anchors.close();
    expect(got).toEqual(lines.slice(50));
    expect(log.events.map(({ event }) => event)).toEqual([
      'audit.anchors_failing',
      'audit.anchors_recovered',
    ]);
    expect(log.events.at(-1)?.fields).toMatchObject({ dropped: 50 });
  });

  test('does not hold up the others, even where it throws', async () => {
    const { anchors: good, lines } = keptAnchors();
    const broken: AnchorSink = {
      name: 'otlp',
      send: () => Promise.reject(new Error('a bug')),
      close() {},
    };
    const log = recordingLog();
    const anchors = anchorsOver([broken], log, hurried);
    const both = { ship: (line: string) => [anchors, good].map((one) => one.ship(line)) };
    for (const line of someAnchors(3)) both.ship(line);
    await Bun.sleep(50);
    expect(lines).toHaveLength(3);
    expect(log.events[0]).toMatchObject({ event: 'audit.anchors_failing', fields: { cause: 'a bug' } });
    await anchors.close();
  });
});

describe('syslog', () => {
  const head = /^<109>1 1970-01-01T00:00:00\.000Z \S+ cortex-gateway \d+ audit-anchor - \{"v":1/;

  test('gets a message of RFC 5424 a datagram over UDP', async () => {
    const server = createSocket('udp4');
    closings.push(() => server.close());
    const got: string[] = [];
    server.on('message', (message) => void got.push(message.toString()));
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const sink = createSyslogSink(
      createMessageSocket({ kind: 'udp', host: '127.0.0.1', port: server.address().port }),
    );
    const lines = someAnchors(3);
    expect(await sink.send(lines)).toEqual(ok(undefined));
    while (got.length < 3) await Bun.sleep(5);
    sink.close();
    for (const message of got) expect(message).toMatch(head);
    expect(await anchorsIn(got.join('\n'))).toMatchObject({ count: 3, problems: [] });
  });

  async function streamServer(listenOn: { port: number } | string) {
    const sockets: Socket[] = [];
    let text = '';
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (data) => {
        text += data.toString();
      });
      socket.on('error', () => {});
    });
    closings.push(() => server.close());
    await new Promise<void>((resolve) =>
      typeof listenOn === 'string'
        ? server.listen(listenOn, resolve)
        : server.listen(listenOn.port, '127.0.0.1', resolve),
    );
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { port, sockets, text: () => text, server };
  }
  function framed(text: string): readonly string[] {
    const messages: string[] = [];
    for (let rest = text; rest !== ''; ) {
      const space = rest.indexOf(' ');
      const length = Number(rest.slice(0, space));
      messages.push(rest.slice(space + 1, space + 1 + length));
      rest = rest.slice(space + 1 + length);
    }
    return messages;
  }

  test.each(['tcp', 'unix'] as const)(
    'gets each message with its length before it over %s, and again after the other side was gone',
    async (kind) => {
      const path = join(dir, 'syslog.sock');
      const { port, sockets, text } = await streamServer(kind === 'unix' ? path : { port: 0 });
      const target = kind === 'unix' ? { kind, path } : { kind, host: '127.0.0.1', port };
      const sink = createSyslogSink(createMessageSocket(target));
      const [first = '', second = ''] = someAnchors(2);
      expect(await sink.send([first])).toEqual(ok(undefined));
      while (text() === '') await Bun.sleep(5);
      sockets[0]?.destroy();
      await Bun.sleep(30);
      expect(await sink.send([second])).toEqual(ok(undefined));
      while (framed(text()).length < 2) await Bun.sleep(5);
      sink.close();
      expect(framed(text())).toEqual([expect.stringMatching(head), expect.stringMatching(head)]);
      expect(sockets).toHaveLength(2);
    },
  );

  test('that is down is an error in the log, and gets what waited when it is up', async () => {
    const { port, server } = await streamServer({ port: 0 });
    await new Promise((resolve) => server.close(resolve));
    const log = recordingLog();
    const sink = createSyslogSink(createMessageSocket({ kind: 'tcp', host: '127.0.0.1', port }));
    const anchors = anchorsOver([sink], log, hurried);
    for (const line of someAnchors(5)) anchors.ship(line);
    while (log.events.length === 0) await Bun.sleep(5);
    expect(log.events[0]).toMatchObject({
      event: 'audit.anchors_failing',
      fields: { sink: 'syslog', cause: 'ECONNREFUSED' },
    });
    const up = await streamServer({ port });
    while (framed(up.text()).length < 5) await Bun.sleep(5);
    await anchors.close();
    expect(log.events.at(-1)?.event).toBe('audit.anchors_recovered');
  });

  test('that nobody listens to is found out even over UDP', async () => {
    const server = createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const sink = createSyslogSink(createMessageSocket({ kind: 'udp', host: '127.0.0.1', port }));
    expect(await sink.send(someAnchors(1))).toEqual(err('ECONNREFUSED'));
    sink.close();
  });

  test('that takes nothing any more ends with a time-out', async () => {
    const { port, sockets } = await streamServer({ port: 0 });
    const socket = createMessageSocket({ kind: 'tcp', host: '127.0.0.1', port });
    expect(await socket.send([Buffer.from('x')], 1_000)).toEqual(ok(undefined));
    while (sockets.length === 0) await Bun.sleep(5);
    sockets[0]?.pause();
    const much = Array.from({ length: 64 }, () => Buffer.alloc(1024 * 1024));
    expect(await socket.send(much, 300)).toEqual(err('timeout'));
    socket.close();
  });
});

describe('OTLP', () => {
  test('gets log records whose body is the checkpoint, and what a collector writes is a file of anchors', async () => {
    const bodies: string[] = [];
    let key: string | null = '';
    const url = serve(async (request) => {
      key = request.headers.get('x-api-key');
      bodies.push(await request.text());
      return Response.json({ partialSuccess: {} });
    });
    const sink = createOtlpSink({
      url,
      headers: new Map([['x-api-key', new Secret('of-the-collector')]]),
      version: '1.2.3',
      outbound,
    });
    const lines = someAnchors(3);
    expect(await sink.send(lines)).toEqual(ok(undefined));
    expect(key).toBe('of-the-collector');
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cortex-gateway' } }] },
          scopeLogs: [
            {
              scope: { name: 'cortex.audit', version: '1.2.3' },
              logRecords: [
                {
                  timeUnixNano: '0000000',
                  severityNumber: 9,
                  body: { stringValue: lines[0] },
                  attributes: [
                    { key: 'cortex.audit.chain', value: { stringValue: 'abcabcabcabc' } },
                    { key: 'cortex.audit.seq', value: { intValue: '2' } },
                  ],
                },
                {},
                {},
              ],
            },
          ],
        },
      ],
    });
    expect(await anchorsIn(`${bodies.join('\n')}\n`)).toMatchObject({ count: 3, problems: [] });
  });

  test('that takes the request and rejects the records has not got them', async () => {
    const url = serve(() => Response.json({ partialSuccess: { rejectedLogRecords: '1' } }));
    const sink = createOtlpSink({ url, headers: new Map(), version: '1', outbound });
    expect(await sink.send(someAnchors(1))).toEqual(err('records rejected'));
  });
});

describe('reading anchors', () => {
  test('what a client sent is never one: a name that looks like an anchor proves and accuses nothing', async () => {
    const { anchors, lines } = keptAnchors();
    const copied: string[] = [];
    const audit = await openTestAudit(dir, { anchors, copy: (text) => void copied.push(text) });
    const [foreign = ''] = someAnchors(1);
    for (const tool of [
      foreign,
      '{"v":1,"kind":"checkpoint"',
      '","sig":"x"}{"v":1,"kind":"checkpoint","chain":"x","sig":"y"}',
    ])
      await audit.record(facts({ tool, agent: tool }));
    await audit.close();
    const log = copied.join('').replaceAll(/^/gm, 'Mar 04 10:20:30 host cortex[7]: ');
    expect(await anchorsIn(log)).toMatchObject({ count: lines.length, problems: [] });
    const shipped = JSON.stringify({ records: copied.join('').trimEnd().split('\n') });
    expect(await anchorsIn(shipped)).toMatchObject({ count: lines.length, problems: [] });
  });

  test('the same ones again are counted and change nothing, in whatever order', async () => {
    const lines = someAnchors(4);
    const replayed = [...lines, ...lines.toReversed(), lines[0]];
    expect(await anchorsIn(replayed.join('\n'))).toMatchObject({ count: 9, repeated: 5, problems: [] });
  });

  test.each([
    ['a changed number', (line: string) => line.replace('"seq":2', '"seq":9'), 'bad_signature'],
    [
      'a changed hash',
      (line: string) => line.replace(/"prev":"(.)/, (_, first) => `"prev":"${first === 'A' ? 'B' : 'A'}`),
      'bad_signature',
    ],
    ['another key’s name', (line: string) => line.replace(/"key":"../, '"key":"__'), 'unknown_key'],
    ['something behind the signature', (line: string) => line.replace(/"\}$/, '","x":"y"}'), 'bad_signature'],
    ['half of one', (line: string) => line.slice(0, -60), 'not_a_record'],
  ])('one that is forged is named, with its place: %s', async (_name, forge, reason) => {
    const [first = '', second = ''] = someAnchors(2);
    const ledger = await anchorsIn(`${second}\nnothing here\n${forge(first)}\n`);
    expect(ledger.count).toBe(1);
    expect(ledger.problems).toMatchObject([{ file: 'anchors', line: 3, reason }]);
  });

  test('two that are signed and contradict each other are named', async () => {
    const chain = createChain(newChainHead('abcabcabcabc'), signer);
    chain.append('admin', 1, {});
    const ledger = await anchorsIn(`${someAnchors(1)[0]}\n${chain.checkpoint(1, {})}`);
    expect(ledger.problems).toMatchObject([{ line: 2, reason: 'anchor_differs' }]);
  });

  test('a file that is one endless line takes no more memory than a part of it', async () => {
    const file = join(dir, 'endless');
    writeFileSync(file, Buffer.alloc(64 * 1024 * 1024, 'x'));
    const before = process.memoryUsage.rss();
    expect(await readAnchors([file], signer)).toMatchObject({ count: 0, problems: [] });
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 1024 * 1024);
  });
});
