import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StdioServerOptions } from '#adapter/stdio-host.ts';
import type { Answer, Exchange, PeerAnswer } from '#backends/backend.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { ada, answering, bob, connect, context, tool, until } from './setup.ts';
import { untilGone } from './support/processes.ts';
import { childOptions, createTestHost } from './support/stdio-kit.ts';

const child = join(import.meta.dirname, '../e2e/support/mcp-server-child.ts');

/** A native server as a child, and the backend that the gateway makes of it. */
function start(
  era: 'legacy' | 'modern',
  more: Partial<StdioServerOptions> & { readonly manner?: string; readonly program?: string } = {},
) {
  const { manner, program = child, ...options } = more;
  const host = createTestHost();
  const wires = host.host.wires(
    childOptions('', {
      ...options,
      command: [process.execPath, program, era, ...(manner === undefined ? [] : [manner])],
    }),
  );
  const made = connect('', {
    transport: { kind: 'wires', wires },
    mode: 'none',
    list: 'shared',
    timeoutMs: 1_000,
  });
  return {
    ...made,
    host,
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await host.close();
    },
  };
}

function textOf({ outcome }: Exchange<Answer>): string {
  if (!outcome.ok) return `${outcome.error.reason}: ${outcome.error.message}`;
  return outcome.value.kind === 'input_required' ? 'input required' : outcome.value.text;
}

describe.each(['legacy', 'modern'] as const)('a server as a child, of the %s era', (era) => {
  test('is found out, listed and called', async () => {
    await using server = start(era);
    const found = await server.backend.discover(undefined, new AbortController().signal);
    if (!found.ok || found.value.kind !== 'catalog') throw new Error('nothing was discovered');
    expect(found.value.catalog.tools.map(({ name }) => name)).toContain('echo');
    const made = await server.backend.call(tool('echo', { text: 'Zürich' }), context());
    expect(made.mode).toBe('none');
    expect(textOf(made)).toContain('Zürich');
  });

  test('asks who called', async () => {
    await using server = start(era);
    const { ask, questions } = answering({ action: 'accept', content: { name: 'Ada' } });
    const made = await server.backend.call(
      tool('ask'),
      context({ ask, clientCapabilities: { elicitation: { form: {} } } }),
    );
    if (era === 'legacy') {
      expect(questions).toHaveLength(1);
      expect(textOf(made)).toContain('Ada');
    } else expect(textOf(made)).toBe('input required');
  });

  test('that dies in a call fails it, and is there again for the next', async () => {
    await using server = start(era);
    expect(textOf(await server.backend.call(tool('die'), context()))).toContain('unreachable');
    expect(textOf(await server.backend.call(tool('echo', { n: 1 }), context()))).toContain('n');
  });

  test('that changes its era is found out anew', async () => {
    await using server = start(era);
    await server.backend.call(tool('switch'), context());
    expect(textOf(await server.backend.call(tool('echo', { n: 1 }), context()))).toContain('n');
  });

  test('that lets calls of a user run into their deadlines without a word is started anew', async () => {
    await using server = start(era);
    const pid = async () => textOf(await server.backend.call(tool('pid'), context()));
    const before = await pid();
    for (let turn = 0; turn < 3; turn++)
      expect(textOf(await server.backend.call(tool('hang'), context({ timeoutMs: 100 })))).toContain(
        'timeout',
      );
    await until(() => server.host.logged.some(({ event }) => event === 'server.crashed'));
    expect(await pid()).not.toBe(before);
  });

  test('is kept where the user gives the calls up', async () => {
    await using server = start(era);
    const pid = async () => textOf(await server.backend.call(tool('pid'), context()));
    const before = await pid();
    for (let turn = 0; turn < 4; turn++)
      await server.backend.call(tool('hang'), context({ signal: AbortSignal.timeout(50) }));
    expect(await pid()).toBe(before);
  });

  test('that says nothing is given up, not waited for', async () => {
    await using server = start(era, { manner: 'silent' });
    expect(textOf(await server.backend.call(tool('echo'), context()))).toMatch(
      /timeout|unreachable|cancelled/,
    );
  });
});

describe('a server of the v2 SDK as a child', () => {
  const started = () =>
    start('modern', { program: join(import.meta.dirname, 'support/sdk-v2-stdio-child.ts') });

  test('is found to be modern, asks, and reports its progress', async () => {
    await using server = started();
    await server.backend.discover(undefined, new AbortController().signal);
    const steps: number[] = [];
    const onProgress = ({ progress }: { readonly progress: number }) => void steps.push(progress);
    expect(textOf(await server.backend.call(tool('progress'), context({ onProgress })))).toContain('done');
    expect(steps).toEqual([1, 2, 3]);
    const clientCapabilities = { elicitation: { form: {} } };
    const asked = await server.backend.call(tool('elicit'), context({ clientCapabilities }));
    expect(textOf(asked)).toBe('input required');
    const inputResponses = { who: { action: 'accept', content: { name: 'Ada' } } };
    const answered = await server.backend.call(
      tool('elicit'),
      context({ clientCapabilities, inputResponses }),
    );
    expect(textOf(answered)).toContain('Ada');
  });

  test('tells of its lists and of a followed resource over the one stream there is (R48)', async () => {
    await using server = started();
    const signal = new AbortController().signal;
    const listed = async () => {
      const found = await server.backend.discover(undefined, signal);
      return found.ok && found.value.kind === 'catalog'
        ? found.value.catalog.tools.map(({ name }) => name)
        : [];
    };
    expect(await listed()).not.toContain('grown');
    await Bun.sleep(300);
    const elapsedMs = stopwatch();
    await server.backend.call(tool('grow'), context());
    await until(() => server.told.includes('catalog'));
    expect(elapsedMs()).toBeLessThan(1_000);
    expect(await listed()).toContain('grown');

    const unfollow = server.backend.follow?.('test://srv/static', ada);
    await Bun.sleep(300);
    await server.backend.call(tool('touch'), context());
    await until(() => server.told.some((event) => event.startsWith('updated test://srv/static')));
    unfollow?.();
  });
});

describe('a child that crashed', () => {
  test.each([
    ['modern, by the v2 SDK', 'support/sdk-v2-stdio-child.ts'],
    ['legacy', '../e2e/support/mcp-server-child.ts'],
  ])('is started again by whoever listens, and its lists are asked for anew (%s)', async (_era, program) => {
    await using server = start('legacy', { program: join(import.meta.dirname, program) });
    await server.backend.discover(undefined, new AbortController().signal);
    await Bun.sleep(300);
    expect(server.told).toEqual([]);
    process.kill(Number(server.host.logged.find(({ event }) => event === 'server.started')?.pid), 'SIGKILL');
    await until(() => server.told.includes('catalog'));
    expect(server.host.logged.filter(({ event }) => event === 'server.started')).toHaveLength(2);
  });
});

describe('a process that people share', () => {
  test('asks nobody while calls of two people are under way', async () => {
    await using server = start('legacy');
    const { ask, questions } = answering({ action: 'accept', content: { name: 'Ada' } });
    const clientCapabilities = { elicitation: { form: {} } };
    const hers = server.backend.call(tool('hang'), context({ ask, clientCapabilities }));
    await until(() => server.backend.health().inFlight === 1);
    const his = await server.backend.call(tool('ask'), context({ principal: bob, ask, clientCapabilities }));
    expect(questions).toEqual([]);
    expect(textOf(his)).toContain('No call is under way during which this can be asked');
    expect(textOf(await hers)).toContain('timeout');
  });

  test('asks nobody else about a call that was given up', async () => {
    await using server = start('legacy');
    await server.backend.call(tool('echo'), context());
    const cancelling = new AbortController();
    const { ask, questions } = answering({ action: 'accept', content: { name: 'Bob' } });
    const clientCapabilities = { elicitation: { form: {} } };
    const hers = server.backend.call(
      tool('ask-later'),
      context({ principal: ada, ask, clientCapabilities, signal: cancelling.signal }),
    );
    await until(() => server.backend.health().inFlight === 1);
    await Bun.sleep(100);
    cancelling.abort();
    await hers;
    // Her server goes on nevertheless, and asks while his call is the only one.
    const his = await server.backend.call(
      tool('hang'),
      context({ principal: bob, ask, clientCapabilities, timeoutMs: 700 }),
    );
    expect(textOf(his)).toContain('timeout');
    expect(questions).toEqual([]);
    expect(textOf(await server.backend.call(tool('answer'), context({ principal: bob })))).toContain(
      'No call is under way',
    );
  });
});

describe('an answer that comes late', () => {
  test('is no answer to the same question of the next process', async () => {
    await using server = start('legacy');
    await server.backend.call(tool('echo'), context());
    const clientCapabilities = { elicitation: { form: {} } };
    const late = Promise.withResolvers<PeerAnswer>();
    const his = server.backend.call(
      tool('ask'),
      context({ principal: bob, ask: () => late.promise, clientCapabilities }),
    );
    await until(() => server.backend.health().inFlight === 1);
    await Bun.sleep(100);
    expect(textOf(await server.backend.call(tool('crash'), context()))).toContain('unreachable');
    expect(textOf(await his)).toContain('unreachable');

    const asked = Promise.withResolvers<PeerAnswer>();
    const hers = server.backend.call(tool('ask'), context({ ask: () => asked.promise, clientCapabilities }));
    await Bun.sleep(300);
    late.resolve({ result: { action: 'accept', content: { name: 'Bob' } }, error: undefined });
    await Bun.sleep(100);
    asked.resolve({ result: { action: 'accept', content: { name: 'Ada' } }, error: undefined });
    expect(textOf(await hers)).toContain('Ada');
  });
});

describe('a process for each person', () => {
  test('is ended when its place is needed, and started again', async () => {
    await using server = start('legacy', { process: 'principal', maxChildren: 3 });
    const pid = async (principal = ada) =>
      Number(/\d{2,}/.exec(textOf(await server.backend.call(tool('pid'), context({ principal }))))?.[0]);
    const hers = await pid(ada);
    expect(await pid(bob)).not.toBe(hers);
    expect(await pid(ada)).toBe(hers);
    await server.backend.close();
    await untilGone(() => [hers], 100);
  });
});
