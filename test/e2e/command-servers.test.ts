import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunning, untilGone } from '../adapter/support/processes.ts';
import { type AnyClient, clientKinds } from './support/any-client.ts';
import { commandServer } from './support/command-server.ts';
import { until } from './support/deployment.ts';
import { deployServers, type ServerDeployment } from './support/server-deployment.ts';

/** Every process below another, those included that left nothing but their group behind. */
function descendants(pid: number): readonly number[] {
  const below = readdirSync('/proc')
    .map(Number)
    .filter((child) => child > 0 && parentOf(child) === pid);
  return below.flatMap((child) => [child, ...descendants(child)]);
}
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
/** What a tool said, as text. */
function said(answer: { readonly text: string }): string {
  const [content] = JSON.parse(answer.text);
  return content.text;
}

describe('a gateway killed with -9', () => {
  test('leaves no process behind: not its servers, not what they forked, not its guard', async () => {
    await using deployment = await deployServers(
      { shared: commandServer('legacy'), own: commandServer('modern', { process: 'principal' }) },
      ['shared', 'own'],
    );
    const client = await deployment.connect('v2, modern');
    const forked = [
      ...JSON.parse(said(await client.call('shared_fork'))),
      ...JSON.parse(said(await client.call('own_fork'))),
    ].map(Number);
    const all = descendants(deployment.gateway.pid);
    expect(forked.filter((pid) => !all.includes(pid))).toEqual([]);
    expect(forked.filter(isRunning)).toEqual(forked);
    process.kill(deployment.gateway.pid, 'SIGKILL');
    await untilGone(() => all, 2_000);
  });
});

describe('a gateway that stops', () => {
  test('ends its servers first, and leaves nothing behind', async () => {
    await using deployment = await deployServers({ shared: commandServer('legacy') }, ['shared']);
    const all = descendants(deployment.gateway.pid);
    expect(all.length).toBeGreaterThanOrEqual(2);
    expect(await deployment.gateway.stop()).toBe(0);
    expect(all.filter(isRunning)).toEqual([]);
  });
});

describe('the process of a server', () => {
  let deployment: ServerDeployment;
  beforeAll(async () => {
    const env = { API_KEY: 'a-secret-of-the-server' };
    deployment = await deployServers(
      {
        shared: commandServer('legacy', { env }),
        own: commandServer('legacy', { env, process: 'principal' }),
      },
      ['shared', 'own'],
    );
  });
  afterAll(() => deployment?.[Symbol.asyncDispose]());

  test.each(['shared', 'own'])('(%s) sees its own environment and three descriptors', async (id) => {
    const client = await deployment.connect('v2, modern');
    const pid = said(await client.call(`${id}_pid`));
    const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environ.sort()).toEqual(['API_KEY=a-secret-of-the-server', `PATH=${process.env.PATH}`]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => fdTarget(pid, fd));
    expect(descriptors.filter((target) => /^(?:socket|pipe):/.test(target))).toHaveLength(3);
    expect(descriptors.filter((target) => target.startsWith('/') && !isOwnFile(target))).toEqual([]);
    await client.close();
  });

  test('is one for all, or one for each person, as configured', async () => {
    const [ada, bob] = await Promise.all([
      deployment.connect('v2, modern', 'ada'),
      deployment.connect('v1, legacy', 'bob'),
    ]);
    const pids = async (name: string) =>
      Promise.all([ada, bob].map(async (client) => said(await client.call(name))));
    const [sharedA, sharedB] = await pids('shared_pid');
    const [ownA, ownB] = await pids('own_pid');
    expect(sharedA).toBe(sharedB);
    expect(ownA).not.toBe(ownB);
    await Promise.all([ada.close(), bob.close()]);
  });
});

describe('the processes of a server', () => {
  test('are ended where they are idle, and another person needs the place', async () => {
    // One is the gateway's own, for the lists.
    const limits = { processes_per_server: 2 };
    const servers = { own: commandServer('legacy', { process: 'principal', max_result: '1KB' }) };
    await using deployment = await deployServers(servers, ['own'], { limits });
    const [ada, bob] = await Promise.all([
      deployment.connect('v2, modern', 'ada'),
      deployment.connect('v2, modern', 'bob'),
    ]);
    const hers = Number(said(await ada.call('own_pid')));
    const his = Number(said(await bob.call('own_pid')));
    expect(his).not.toBe(hers);
    await untilGone(() => [hers], 5_000);
    const busy = bob.call('own_hang', {}, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    await Bun.sleep(200);
    expect((await ada.call('own_pid')).isError).toBe(true);
    await busy;
    await Promise.all([ada.close(), bob.close()]);
  });
});

function fdTarget(pid: string, fd: string): string {
  return Bun.spawnSync(['readlink', `/proc/${pid}/fd/${fd}`])
    .stdout.toString()
    .trim();
}
/** What Bun, in which the test’s server runs, opens for itself. */
function isOwnFile(target: string): boolean {
  return target.startsWith('/dev/') || target.startsWith('/proc/');
}

describe.each(['legacy', 'modern'] as const)('a server of the %s era', (era) => {
  let deployment: ServerDeployment;
  beforeAll(async () => {
    deployment = await deployServers(
      {
        // A person's own, so that one's crashes are no other's pause.
        odd: commandServer(era, { timeout: '1s', max_result: '100KB', process: 'principal' }),
        fine: commandServer('legacy'),
        exits: commandServer(era, { manner: 'exits' }),
        silent: commandServer(era, { manner: 'silent' }),
      },
      ['odd', 'fine'],
    );
  });
  afterAll(() => deployment?.[Symbol.asyncDispose]());

  describe.each(clientKinds)('asked by the official client (%s)', (kind) => {
    let client: AnyClient;
    beforeAll(async () => {
      client = await deployment.connect(kind, kind);
    });
    afterAll(() => client?.close());

    test('answers', async () => {
      expect(said(await client.call('odd_echo', { text: 'Zürich' }))).toBe('{"text":"Zürich"}');
    });

    test.each([
      ['dies', 'odd_die'],
      ['is killed', 'odd_crash'],
    ])(
      'that %s in a call fails that call clearly, is started again, and disturbs nobody',
      async (_how, tool) => {
        const other = client.call('fine_echo', { text: 'meanwhile' });
        const answer = await client.call(tool);
        expect(answer.isError).toBe(true);
        expect(answer.text).toMatch(/stopped|could not be reached|broke/);
        expect((await other).isError).toBe(false);
        await until(() => deployment.gateway.output().includes('server.crashed'), 'the log');
        await answersAgain(client);
      },
    );

    test.each([
      ['never answers', 'odd_hang', {}, /in time/],
      ['answers more than is allowed', 'odd_huge', { bytes: 200_000 }, /too large/],
      ['answers what is no result', 'odd_odd', {}, /./],
    ])('that %s fails that call clearly, and goes on', async (_how, tool, args, words) => {
      const answer = await client.call(tool, args);
      expect(answer).toEqual({ isError: true, text: expect.stringMatching(words) });
      await answersAgain(client);
    });

    test('that prints what is no message is understood nevertheless', async () => {
      expect(said(await client.call('odd_garbage'))).toBe('after garbage');
    });

    test('asks the person who called, across the eras', async () => {
      expect(said(await client.call('odd_ask'))).toContain('Ada');
    });

    test('that does not start is not in the list, and nothing waits for it', async () => {
      const tools = await client.tools();
      expect(tools).toContain('fine_echo');
      expect(tools.filter((name) => /^(?:exits|silent)_/.test(name))).toEqual([]);
    });
  });
});

/** At the second try at the latest after each pause: how long one waits is the gateway’s to say. */
async function answersAgain(client: AnyClient): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 100) {
    const answer = await client.call('odd_echo', { text: 'again' });
    if (!answer.isError) return;
    await Bun.sleep(100);
  }
  throw new Error('it was not started again');
}
