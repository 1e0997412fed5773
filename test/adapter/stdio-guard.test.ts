import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupMembers, isRunning, untilGone } from './support/processes.ts';
import { guardCommand } from './support/stdio-kit.ts';

const gateway = [process.execPath, join(import.meta.dirname, 'support', 'stdio-gateway-child.ts')];

/** Every process that a started gateway leaves behind, its own children first. */
async function startGatewayLike(signalGroup = false) {
  const parent = Bun.spawn(gateway, {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    detached: signalGroup,
  });
  const reader = parent.stdout.getReader();
  const { value } = await reader.read();
  const pids: readonly number[] = JSON.parse(new TextDecoder().decode(value));
  const guards = childrenOf(parent.pid).filter((pid) => commandOf(pid).includes('stdio-guard'));
  return { parent, pids, guards };
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

describe('a gateway that is killed', () => {
  test('leaves nothing behind after two seconds: children, theirs, and those that ignore SIGTERM', async () => {
    const { parent, pids, guards } = await startGatewayLike();
    expect(pids).toHaveLength(5);
    expect(pids.filter(isRunning)).toEqual(pids);
    expect(guards).toHaveLength(1);
    parent.kill('SIGKILL');
    await untilGone(() => [...pids, ...groupMembers(pids[0] ?? 0), ...groupMembers(pids[4] ?? 0)], 2_000);
    await untilGone(() => guards, 2_000);
  });

  test('is outlived by its guard even when that is asked to end as well', async () => {
    const { parent, pids, guards } = await startGatewayLike(true);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      for (const guard of guards) process.kill(guard, signal);
    await Bun.sleep(100);
    expect(guards.filter(isRunning)).toEqual(guards);
    process.kill(-parent.pid, 'SIGKILL');
    await untilGone(() => [...pids, ...guards], 2_000);
  });

  test('has its guard replaced when that one is killed', async () => {
    const { parent, pids, guards } = await startGatewayLike();
    for (const guard of guards) process.kill(guard, 'SIGKILL');
    let next: readonly number[] = [];
    for (let waited = 0; next.length === 0 && waited < 5_000; waited += 50) {
      await Bun.sleep(50);
      next = childrenOf(parent.pid).filter((pid) => isRunning(pid) && commandOf(pid).includes('stdio-guard'));
    }
    expect(next).toHaveLength(1);
    // It was seen as soon as it was there, and is told of the groups a moment later.
    await Bun.sleep(200);
    parent.kill('SIGKILL');
    await untilGone(() => [...pids, ...next], 2_000);
  });
});

describe('the guard', () => {
  test('holds its stdin and nothing else, with an empty environment', async () => {
    const { parent, pids, guards } = await startGatewayLike();
    const [guard = 0] = guards;
    const descriptors = readdirSync(`/proc/${guard}/fd`)
      .map(Number)
      .sort((a, b) => a - b);
    // Beyond them are what Bun opens for itself.
    const links = descriptors.map((fd) => readlink(guard, fd));
    expect(links.slice(1, 3)).toEqual(['/dev/null', '/dev/null']);
    expect(links.filter((link) => /^(?:socket|pipe):/.test(link))).toHaveLength(1);
    expect(links.filter((link) => link.startsWith('/') && !link.startsWith('/dev/'))).toEqual([]);
    expect(readFileSync(`/proc/${guard}/environ`, 'utf8')).toBe('');
    parent.kill('SIGKILL');
    await untilGone(() => [...pids, ...guards], 2_000);
  });

  test('never signals its own group, every process, or what is no number', async () => {
    const bystander = Bun.spawn(['sleep', '60'], { detached: true });
    const released = Bun.spawn(['sleep', '60'], { detached: true });
    const guard = Bun.spawn(guardCommand, {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      cwd: '/',
      env: {},
    });
    guard.stdin.write(`+0\n+1\n+-1\n+\nx\n${bystander.pid}\n +${bystander.pid}\n+${bystander.pid}x\n+1e9\n`);
    guard.stdin.write(`${'+9'.repeat(100_000)}\n+${released.pid}\n-${released.pid}\n+${bystander.pid}`);
    await guard.stdin.end();
    expect(await guard.exited).toBe(0);
    expect([bystander.pid, released.pid].filter(isRunning)).toEqual([bystander.pid, released.pid]);
    bystander.kill('SIGKILL');
    released.kill('SIGKILL');
  });
});

function readlink(pid: number, fd: number): string {
  return Bun.spawnSync(['readlink', `/proc/${pid}/fd/${fd}`])
    .stdout.toString()
    .trim();
}
