import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyClient, clientKinds } from './support/any-client.ts';
import { type OddServer, startOddServer } from './support/odd-server.ts';
import { deployServers, type ServerDeployment } from './support/server-deployment.ts';

const shared = { identity: 'none', list: 'shared', scopes: { default: 'mcp:test' } };
let odd: OddServer;
let fine: OddServer;
let deployment: ServerDeployment;

/** Every way to answer a call that is no answer, and what its caller reads at least. */
const oddities: readonly (readonly [tool: string, words: RegExp])[] = [
  ['hang', /did not answer in time/],
  ['hang-in-stream', /did not answer in time/],
  ['break', /could not be reached, or the connection broke/],
  ['break-in-stream', /could not be reached, or the connection broke/],
  ['end-in-stream', /ended its stream without a result/],
  ['endless', /too large/],
  ['huge', /too large/],
  ['huge-event', /too large/],
  ['malformed', /no answer to this request/],
  ['malformed-event', /no JSON/],
  ['page', /no answer to this request/],
  ['nothing', /did not answer the request/],
  ['no-result', /no answer to this request/],
  ['other-id', /no answer to this request/],
  ['away', /a redirect, which is not followed/],
  ['failing', /failed/],
  ['gone', /did not answer the request/],
];

describe.each(['legacy', 'modern'] as const)('a server of the %s era over HTTP', (era) => {
  beforeAll(async () => {
    odd = startOddServer(era);
    fine = startOddServer('legacy');
    deployment = await deployServers(
      {
        odd: { ...shared, url: odd.url, timeout: '1s', max_result: '100KB' },
        fine: { ...shared, url: fine.url },
      },
      ['odd', 'fine'],
    );
  });
  afterAll(async () => {
    await deployment?.[Symbol.asyncDispose]();
    await Promise.all([odd, fine].map((server) => server[Symbol.asyncDispose]()));
  });

  describe.each(clientKinds)('called by the official client (%s)', (kind) => {
    let client: AnyClient;
    beforeAll(async () => {
      client = await deployment.connect(kind, kind);
    });
    afterAll(() => client?.close());
    const echoes = async (id = 'odd') => {
      const answer = await client.call(`${id}_echo`, { n: 1 });
      expect(answer).toEqual({ isError: false, text: expect.stringContaining('n') });
    };

    test.each(oddities)(
      'is no success where it answers with %s, and disturbs nobody',
      async (tool, words) => {
        const [answer] = await Promise.all([client.call(`odd_${tool}`), echoes('fine')]);
        expect(answer).toEqual({ isError: true, text: expect.stringMatching(words) });
        await answersAgain(client);
      },
    );

    test('is called no second time where it may have done something', async () => {
      const before = odd.called.filter((name) => name === 'break-in-stream').length;
      await client.call('odd_break-in-stream');
      expect(odd.called.filter((name) => name === 'break-in-stream').length - before).toBe(1);
      await answersAgain(client);
    });

    test('goes on where it has forgotten everything', async () => {
      await answersAgain(client);
      odd.forget();
      await echoes();
    });

    test('goes on where it was away for a while', async () => {
      await odd.down();
      const away = await client.call('odd_echo');
      expect(away).toEqual({ isError: true, text: expect.stringMatching(/could not be reached/) });
      await echoes('fine');
      odd.up();
      await answersAgain(client);
    });

    test('goes on where it speaks another era all of a sudden, and back', async () => {
      await answersAgain(client);
      odd.speak(era === 'legacy' ? 'modern' : 'legacy');
      await echoes();
      odd.speak(era);
      await echoes();
    });
  });
});

/** Often enough that it does not count as one that fails; after failures in a row the gateway gives a server pauses. */
async function answersAgain(client: AnyClient): Promise<void> {
  let inARow = 0;
  for (let waited = 0; waited < 15_000; waited += 100) {
    const answer = await client.call('odd_echo', { n: 1 });
    inARow = answer.isError ? 0 : inARow + 1;
    if (inARow === 3) return;
    if (answer.isError) await Bun.sleep(100);
  }
  throw new Error('it does not answer any more');
}
