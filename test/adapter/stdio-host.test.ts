import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WireOwner } from '#adapter/channel.ts';
import { createStdioBackoff } from '#adapter/stdio-backoff.ts';
import { principalKey } from '#kernel/principal.ts';
import { principal } from '../contract/principal.ts';
import { createMovingClock } from '../support/moving-clock.ts';
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

const { signal } = new AbortController();

function named(subject: string): WireOwner {
  return principal({ subject, key: principalKey('https://issuer.example', subject) });
}

describe('the processes of a server', () => {
  test('are one for each principal where so configured, and end apart', async () => {
    await using host = createTestHost();
    const wires = host.host.wires(childOptions('plain', { process: 'principal' }));
    expect(wires.isShared).toBe(false);
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map((name) => wires.open(named(name), hear(), signal)),
    );
    if (ada?.ok !== true || bob?.ok !== true) throw new Error('not opened');
    const [hers, his] = await Promise.all([aboutChild(ada.value), aboutChild(bob.value)]);
    expect(hers.pid).not.toBe(his.pid);
    await reasonOf(ask(ada.value, 'crash'));
    expect(await resultOf(ask(bob.value, 'echo'))).toEqual({ params: {} });
    await wires.close();
    expect([hers.pid, his.pid].filter(isRunning)).toEqual([]);
  });

  test('are at most so many of one server, and so many in all', async () => {
    await using host = createTestHost({ maxChildren: 3 });
    const files = host.host.wires(childOptions('plain', { process: 'principal', maxChildren: 2 }));
    const notes = host.host.wires(childOptions('plain', { id: serverId('notes'), process: 'principal' }));
    const open = async (wires: typeof files, name: string) =>
      reasonOf(wires.open(named(name), hear(), signal));
    expect(await open(files, 'a')).toBe('it succeeded');
    expect(await open(files, 'b')).toBe('it succeeded');
    expect(await open(files, 'c')).toBe('busy');
    expect(await open(notes, 'a')).toBe('it succeeded');
    expect(await open(notes, 'b')).toBe('busy');
    await files.close();
    expect(await open(notes, 'b')).toBe('it succeeded');
  });

  test('say in the log that they started, stopped and crashed', async () => {
    await using host = createTestHost();
    const wire = await opened(host, childOptions('plain'));
    const { pid } = await aboutChild(wire);
    await ask(wire, 'die');
    const again = await opened(host, childOptions('plain'));
    await aboutChild(again);
    await again.close();
    expect(host.logged).toEqual([
      { event: 'server.started', level: 'info', server: 'files', pid },
      { event: 'server.crashed', level: 'warn', server: 'files', pid, code: 3, signal: undefined },
      { event: 'server.started', level: 'info', server: 'files', pid: expect.any(Number) },
      {
        event: 'server.stopped',
        level: 'info',
        server: 'files',
        pid: expect.any(Number),
        code: 0,
        signal: undefined,
      },
    ]);
  });

  test('are all gone when the host is closed, and none is started after', async () => {
    const host = createTestHost();
    const wires = host.host.wires(childOptions('plain', { process: 'principal' }));
    const open = async (name: string) => wires.open(named(name), hear(), signal);
    const opening = await Promise.all(['a', 'b', 'c'].map(open));
    const children = await Promise.all(opening.map((wire) => (wire.ok ? aboutChild(wire.value) : undefined)));
    const pids = children.map((child) => child?.pid ?? 0);
    expect(pids.filter(isRunning)).toEqual(pids);
    await host.close();
    await untilGone(() => pids, 100);
    expect(await reasonOf(open('d'))).toBe('cancelled');
  });

  test('leave no descriptor of theirs open in the gateway', async () => {
    // A process of its own: in this one other tests open and close theirs.
    const program = join(import.meta.dirname, 'support', 'stdio-descriptors-child.ts');
    const child = Bun.spawn([process.execPath, program], { stdin: 'ignore', stderr: 'inherit' });
    const [first, last] = JSON.parse(await new Response(child.stdout).text());
    expect(last).toBeLessThanOrEqual(first + 1);
  });
});

describe('a server that crashes again and again', () => {
  test('is started again at once, then after pauses that its callers are told of', async () => {
    await using host = createTestHost();
    const wires = host.host.wires(childOptions('exits'));
    const crash = async () => {
      const heard = hear();
      const opened = await wires.open(undefined, heard, signal);
      for (let waited = 0; opened.ok && heard.closedTimes() === 0 && waited < 5_000; waited += 5)
        await Bun.sleep(5);
      return opened;
    };
    expect((await crash()).ok).toBe(true);
    expect((await crash()).ok).toBe(true);
    const refused = await crash();
    expect(refused).toEqual({
      ok: false,
      error: expect.objectContaining({ reason: 'unreachable', retryAfterSeconds: 1 }),
    });
    host.clock.advance(1_000);
    expect((await crash()).ok).toBe(true);
    host.clock.advance(1_900);
    expect((await crash()).ok).toBe(false);
  });

  test('pauses ever longer, up to a bound, with jitter, and anew after a healthy life', () => {
    const clock = createMovingClock();
    let jitter = 0;
    const backoff = createStdioBackoff({ clock, random: () => jitter });
    const pauses = Array.from({ length: 9 }, () => {
      backoff.crashed('a', 10);
      return Math.round(backoff.waitMs('a') / 1_000);
    });
    expect(pauses).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
    expect(backoff.waitMs('b')).toBe(0);
    jitter = 1;
    backoff.crashed('a', 10);
    expect(Math.round(backoff.waitMs('a') / 1_000)).toBe(90);
    backoff.crashed('a', 60_000);
    expect(backoff.waitMs('a')).toBe(0);
  });

  test('is remembered for a bounded number of principals', () => {
    const backoff = createStdioBackoff({ clock: createMovingClock(), random: () => 0 });
    for (let turn = 0; turn < 2; turn++)
      for (let user = 0; user < 1_001; user++) backoff.crashed(`user ${user}`, 10);
    // The oldest was forgotten before its second crash came.
    expect(backoff.waitMs('user 0')).toBe(0);
  });
});
