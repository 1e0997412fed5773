import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'ask', scope: 'mcp:test' },
          { name: 'own', scope: 'mcp:test', params: { requestState: 'string' } },
        ],
      },
    },
  });
});
afterAll(() => running.close());

test.each([{ requestState: 'approved' }, { inputResponses: { confirm: { action: 'accept' } } }])(
  'no argument passes for what the gateway sealed: %o (R28)',
  async (args) => {
    const ada = await running.caller({ scope: 'mcp:test' });
    const [name] = Object.keys(args);
    for (const answer of [
      await ada.tool('notes_ask', args),
      await (await ada.initialize()).tool('notes_ask', args),
    ]) {
      expect([answer.isError, answer.said]).toEqual([true, `This tool takes no argument called ${name}`]);
    }
    expect(running.backend('notes').callsOf('ask')).toEqual([]);
  },
);

test('a tool that declares the name gets its argument', async () => {
  const ada = await running.caller({ scope: 'mcp:test' });
  expect((await ada.tool('notes_own', { requestState: 'mine' })).isError).toBe(false);
  expect(running.backend('notes').callsOf('own')[0]?.params).toEqual({ requestState: 'mine' });
});
