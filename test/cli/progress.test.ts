import { describe, expect, test } from 'vitest';
import { withProgress } from '#cli/progress.ts';
import type { Terminal } from '#cli/terminal.ts';

const pace = { afterMs: 20, everyMs: 5 };

function watched(changes: Partial<Terminal> = {}): { readonly terminal: Terminal; said(): string } {
  let text = '';
  const terminal: Terminal = {
    cwd: '/',
    environment: {},
    out: () => {},
    say: (part) => {
      text += part;
    },
    isInteractive: true,
    isTalkSeen: true,
    columns: 60,
    ...changes,
  };
  return { terminal, said: () => text };
}

describe('what takes long', () => {
  test('is said on stderr while it takes, and leaves nothing behind', async () => {
    const { terminal, said } = watched();
    const { promise, resolve } = Promise.withResolvers<number>();
    const work = withProgress(terminal, 'asking the backends', () => promise, pace);
    await expect.poll(said).toMatch(/asking the backends.*asking the backends/s);
    resolve(7);
    expect(await work).toBe(7);
    expect(said().endsWith('\r\u001b[K')).toBe(true);
    const after = said();
    await Bun.sleep(20);
    expect(said()).toBe(after);
  });

  test('is said of nothing that is quick', async () => {
    const { terminal, said } = watched();
    expect(await withProgress(terminal, 'asking', async () => 1, { afterMs: 60_000, everyMs: 1 })).toBe(1);
    expect(said()).toBe('');
  });

  test.each([
    ['a pipe', { isTalkSeen: false }],
    ['a dumb terminal', { environment: { TERM: 'dumb' } }],
  ])('is never said in %s', async (_what, changes) => {
    const { terminal, said } = watched(changes);
    await withProgress(terminal, 'asking', () => Bun.sleep(40), { afterMs: 0, everyMs: 1 });
    expect(said()).toBe('');
  });

  test('leaves nothing behind where it fails, either', async () => {
    const { terminal, said } = watched();
    const failing = withProgress(
      terminal,
      'asking',
      async () => {
        await expect.poll(said).toContain('asking');
        throw new Error('gone');
      },
      pace,
    );
    await expect(failing).rejects.toThrow('gone');
    expect(said().endsWith('\r\u001b[K')).toBe(true);
  });

  test('keeps to one line of a narrow terminal', async () => {
    const { terminal, said } = watched({ columns: 20 });
    await withProgress(
      terminal,
      'x'.repeat(200),
      async () => void (await expect.poll(said).toContain('x')),
      pace,
    );
    for (const line of said().split('\r\u001b[K')) expect(line.length).toBeLessThan(20);
  });
});
