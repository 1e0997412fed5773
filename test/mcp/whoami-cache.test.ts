import { expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';

test.each([
  ['short', 100, 1],
  ['long', 20_000, 2],
])(
  'a %s answer of a backend is asked for as often as its length allows to keep it',
  async (_, length, asked) => {
    await using running = await runGateway({
      backends: { notes: { tools: [{ name: 'a', scope: 'mcp:test' }] } },
    });
    const notes = running.backend('notes');
    notes.answer('whoami', () => Response.json({ role: 'x'.repeat(length) }));
    const ada = await running.caller({ scope: 'mcp:test' });
    for (const _round of [1, 2]) expect((await ada.tool('whoami')).said).toContain('xxx');
    expect(notes.callsOf('whoami')).toHaveLength(asked);
  },
);
