import { readdirSync, readFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { isRunning, untilGone } from './support/processes.ts';
import {
  aboutChild,
  ask,
  childOptions,
  createTestHost,
  hear,
  opened,
  reasonOf,
  resultOf,
  serverId,
} from './support/stdio-kit.ts';

const host = createTestHost();
afterAll(() => host.close());

describe.concurrent('a child', () => {
  test('sees the configured names, PATH and three pipes, and nothing else of the gateway', async () => {
    await using folder = await createTempFolder();
    const env = new Map([
      ['TOKEN', new Secret('s3cr3t-value')],
      ['EMPTY', new Secret('')],
    ]);
    const options = childOptions('plain', { env, cwd: folder.path });
    const wire = await opened(host, { ...options, command: [...options.command, '$HOME', '`id`', 'a b;c'] });
    const { pid, about } = await aboutChild(wire);
    const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environ.sort()).toEqual(['EMPTY=', `PATH=${process.env.PATH}`, 'TOKEN=s3cr3t-value']);
    expect(about.argv).toEqual(['$HOME', '`id`', 'a b;c']);
    expect(about.cwd).toBe(await realpath(folder.path));
    await wire.close();
    expect(isRunning(pid)).toBe(false);
  });

  test('is a session and a group of its own, with the descriptors 0, 1 and 2 alone', async () => {
    await using own = createTestHost();
    const wire = await opened(own, childOptions('', { command: ['sleep', '1000'] }));
    const pid = own.logged.findLast(({ event }) => event === 'server.started')?.pid;
    await untilRuns(Number(pid), 'sleep');
    expect(readdirSync(`/proc/${pid}/fd`).sort()).toEqual(['0', '1', '2']);
    const [, group, session] = statOf(Number(pid));
    expect([group, session]).toEqual([pid, pid]);
    // As in any process that a shell starts: no signal is ignored, none is blocked.
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status.match(/^Sig(?:Ign|Blk|Cgt):\s+0+$/gm)).toHaveLength(3);
    await wire.close();
  });

  test('finds its program through its own PATH, not the gateway’s', async () => {
    await using folder = await createTempFolder();
    const options = childOptions('', { command: ['sleep', '1000'], path: folder.path });
    const outcome = await host.host.wires(options).open(undefined, hear(), new AbortController().signal);
    expect(outcome).toEqual({ ok: false, error: expect.objectContaining({ reason: 'unreachable' }) });
    expect(JSON.stringify(outcome)).not.toContain(folder.path);
    const own = new Map([['PATH', new Secret(process.env.PATH ?? '')]]);
    await (await opened(host, { ...options, env: own })).close();
  });

  test.each([
    ['is not there', { command: ['no-such-program'] }],
    ['has no folder to run in', { command: ['sleep', '1'], cwd: '/no/such/folder' }],
    ['is no program', { command: ['/etc/passwd'] }],
    ['has no name', { command: [] }],
  ])('whose program %s is a refusal', async (_what, more) => {
    const outcome = host.host
      .wires(childOptions('', more))
      .open(undefined, hear(), new AbortController().signal);
    expect(await reasonOf(outcome)).toBe('unreachable');
  });

  test('is not started where nothing would end it after the gateway', async () => {
    await using unguarded = createTestHost({ guard: ['/no/such/guard'] });
    const outcome = unguarded.host
      .wires(childOptions('plain'))
      .open(undefined, hear(), new AbortController().signal);
    expect(await reasonOf(outcome)).toBe('unreachable');
    expect(unguarded.logged.map(({ event }) => event)).toContain('server.guard_failed');
    expect(unguarded.logged.map(({ event }) => event)).not.toContain('server.started');
  });

  test('that ends when its stdin does is not signalled', async () => {
    await using own = createTestHost();
    const wire = await opened(own, childOptions('plain'));
    await aboutChild(wire);
    await wire.close();
    const stopped = own.logged.findLast(({ event }) => event === 'server.stopped');
    expect(stopped).toMatchObject({ code: 0, signal: undefined });
  });

  test('that ignores its stdin’s end and SIGTERM is killed, with everything it forked', async () => {
    const [stubborn, forking] = await Promise.all([
      opened(host, childOptions('stubborn')),
      opened(host, childOptions('forks')),
    ]);
    const [one, other] = await Promise.all([aboutChild(stubborn), aboutChild(forking)]);
    await Promise.all([stubborn.close(), forking.close()]);
    await untilGone(() => [one.pid, other.pid, ...other.pids], 100);
  });

  test('that dies takes with it what it forked', async () => {
    const heard = hear();
    const wire = await opened(host, childOptions('forks'), heard);
    const { pids } = await aboutChild(wire);
    expect(pids.filter(isRunning)).toHaveLength(3);
    expect(await reasonOf(ask(wire, 'crash'))).toBe('unreachable');
    await untilGone(() => pids, 500);
    expect(heard.closedTimes()).toBe(1);
  });
});

describe('stderr', () => {
  test('becomes lines of the log, bounded in length and number, without the secrets of the environment', async () => {
    await using own = createTestHost();
    const env = new Map([['TOKEN', new Secret('s3cr3t-value')]]);
    const wire = await opened(own, childOptions('talks', { env }));
    await aboutChild(wire);
    const lines = own.logged.filter(({ event }) => event === 'server.stderr');
    expect(lines).toHaveLength(100);
    expect(lines[0]).toMatchObject({ server: 'files', text: 'line 0 [secret]', level: 'info' });
    expect(JSON.stringify(own.logged)).not.toContain('s3cr3t');
    own.clock.advance(10_000);
    await wire.close();
  });
});

describe('messages', () => {
  test('pair by id, in whatever order and in whatever pieces they come', async () => {
    const wire = await opened(host, childOptions('plain'));
    const answers = await Promise.all([
      resultOf(ask(wire, 'pieces')),
      ...Array.from({ length: 50 }, (_, n) => resultOf(ask(wire, 'echo', { n }))),
    ]);
    expect(answers[0]).toEqual({ text: 'Zürich – 東京 ☕' });
    expect(answers.slice(1)).toEqual(Array.from({ length: 50 }, (_, n) => ({ params: { n } })));
    await wire.close();
  });

  test('of the server’s own reach the events, and what is none reaches nobody', async () => {
    const heard = hear();
    const wire = await opened(host, childOptions('plain'), heard);
    expect(await resultOf(ask(wire, 'garbage'))).toEqual({ after: 'garbage' });
    void ask(wire, 'ask');
    await resultOf(ask(wire, 'echo'));
    expect(heard.messages.map(({ message }) => message)).toEqual([
      { kind: 'request', id: 'q1', method: 'roots/list', params: {} },
    ]);
    await wire.close();
  });

  test('that are too large fail their own call alone, whether kept or not', async () => {
    const wire = await opened(host, childOptions('plain'));
    const [kept, dropped, cut, other] = await Promise.all([
      resultOf(ask(wire, 'huge', { bytes: 1_000_000 })),
      reasonOf(ask(wire, 'huge', { bytes: 30_000_000 })),
      reasonOf(ask(wire, 'huge', { bytes: 10_000 }, { maxBytes: 5_000 })),
      resultOf(ask(wire, 'echo')),
    ]);
    expect(String(kept.text)).toHaveLength(1_000_000);
    expect([dropped, cut]).toEqual(['too_large', 'too_large']);
    expect(other).toEqual({ params: {} });
    await wire.close();
  });

  test('that are more than the child reads are refused, and hold nobody up', async () => {
    const wire = await opened(host, childOptions('', { command: ['sleep', '1000'] }));
    const text = 'x'.repeat(4 * 1024 * 1024);
    const asked = Array.from({ length: 6 }, () => reasonOf(ask(wire, 'echo', { text }, { timeoutMs: 200 })));
    expect((await Promise.all(asked)).filter((reason) => reason === 'unreachable').length).toBeGreaterThan(0);
    await wire.close();
  });
});

describe('a call', () => {
  test('that the child never answers ends at its deadline, and a cancelled one at once', async () => {
    const wire = await opened(host, childOptions('plain'));
    expect(await reasonOf(ask(wire, 'hang', {}, { timeoutMs: 50 }))).toBe('timeout');
    const cancelling = new AbortController();
    const cancelled = reasonOf(ask(wire, 'hang', {}, { signal: cancelling.signal }));
    cancelling.abort();
    expect(await cancelled).toBe('cancelled');
    expect(await reasonOf(ask(wire, 'hang', {}, { signal: AbortSignal.abort() }))).toBe('cancelled');
    expect(await resultOf(ask(wire, 'echo'))).toEqual({ params: {} });
    await wire.close();
  });

  test.each(['die', 'crash', 'unfinished'])(
    'in which the child ends (%s) is a clear failure, as is every later one',
    async (method) => {
      const heard = hear();
      const wire = await opened(host, childOptions('plain'), heard);
      const failed = await ask(wire, method);
      expect(failed).toEqual({
        ok: false,
        error: expect.objectContaining({
          reason: 'unreachable',
          message: expect.stringContaining('in the middle of the call'),
        }),
      });
      expect(await reasonOf(ask(wire, 'echo'))).toBe('unreachable');
      expect(await reasonOf(wire.send({ text: '{}', headers: {}, timeoutMs: 1 }))).toBe('unreachable');
      expect(heard.closedTimes()).toBe(1);
    },
  );

  test('that the child answered with its last words has its answer', async () => {
    for (let turn = 0; turn < 5; turn++) {
      const wire = await opened(host, childOptions('plain', { id: serverId(`bye-${turn}`) }));
      expect(String((await resultOf(ask(wire, 'bye'))).text)).toHaveLength(200_000);
      expect(await reasonOf(ask(wire, 'echo'))).toBe('unreachable');
    }
  });

  test('in flight when the wire is closed is cancelled', async () => {
    const wire = await opened(host, childOptions('plain'));
    const asked = reasonOf(ask(wire, 'hang'));
    await Promise.all([wire.close(), wire.close()]);
    expect(await asked).toBe('cancelled');
  });

  test('to a child that exits at once fails', async () => {
    const wire = await opened(host, childOptions('exits'));
    expect(await reasonOf(ask(wire, 'echo'))).toBe('unreachable');
  });
});

describe('a child that misbehaves', () => {
  test.each(['floods', 'floods-unended', 'chatters'])(
    'and %s keeps the gateway from nothing',
    async (manner) => {
      await using own = createTestHost();
      const before = process.memoryUsage.rss();
      const wire = await opened(own, childOptions(manner));
      const asked = ask(wire, 'echo', {}, { timeoutMs: 1_500 });
      let ticks = 0;
      const timer = setInterval(() => {
        ticks += 1;
      }, 10);
      expect((await asked).ok).toBe(false);
      clearInterval(timer);
      if (manner !== 'floods') expect(ticks).toBeGreaterThan(15);
      expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
    },
  );

  test('by saying nothing but what is no message is given up', async () => {
    await using own = createTestHost();
    const heard = hear();
    const wire = await opened(own, childOptions('floods'), heard);
    expect(await reasonOf(ask(wire, 'echo'))).toBe('not_json');
    await wire.close();
    expect(heard.closedTimes()).toBe(1);
    expect(own.logged.map(({ event }) => event)).toContain('server.given_up');
  });

  test('by hanging through three deadlines is given up; one that says anything is not', async () => {
    await using own = createTestHost();
    const wire = await opened(own, childOptions('plain'));
    for (let turn = 0; turn < 2; turn++) await ask(wire, 'hang', {}, { timeoutMs: 20 });
    await resultOf(ask(wire, 'echo'));
    for (let turn = 0; turn < 2; turn++) await ask(wire, 'hang', {}, { timeoutMs: 20 });
    await resultOf(ask(wire, 'echo'));
    for (let turn = 0; turn < 3; turn++) await ask(wire, 'hang', {}, { timeoutMs: 20 });
    expect(await reasonOf(ask(wire, 'echo'))).toBe('unreachable');
    expect(own.logged.map(({ event }) => event)).toContain('server.given_up');
  });
});

/** Until then it is the launcher, which is told what to run. */
async function untilRuns(pid: number, program: string): Promise<void> {
  while (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.endsWith(program)) await Bun.sleep(5);
}

function statOf(pid: number): readonly number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat
    .slice(stat.lastIndexOf(')') + 4)
    .split(' ')
    .map(Number);
}
