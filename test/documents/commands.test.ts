import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, commandsOf, type DocumentedCommand, pages, root } from './command-blocks.ts';
import { type Exception, exceptions } from './exceptions.ts';
import { createSandbox, type Sandbox, standIns } from './sandbox.ts';

const all = pages.flatMap(commandsOf);

function exceptionFor({ page, text }: DocumentedCommand): Exception | undefined {
  return exceptions.find(
    (each) => each.command.test(text) && (each.page === undefined || each.page === page),
  );
}

/** Not run here at all. */
function isExcused(command: DocumentedCommand): boolean {
  const found = exceptionFor(command);
  if (found?.needs !== undefined) return Bun.which(found.needs) === null;
  return found !== undefined && [found.exits, found.until, found.before].every((each) => each === undefined);
}

describe('fenced blocks in the documents', () => {
  test.each(pages)('of %s name their language, so that no command hides', (page) => {
    const bare = blocksOf(page).filter(({ language }) => language === '');
    expect(bare.map(({ line }) => `${page}:${line}`)).toEqual([]);
  });
});

describe('exceptions', () => {
  test('fit a command each, and have a reason', () => {
    const unused = exceptions.filter((each) => !all.some((command) => exceptionFor(command) === each));
    expect(unused.map(({ command }) => String(command))).toEqual([]);
    expect(exceptions.filter(({ reason }) => reason === '')).toEqual([]);
  });

  test('name files that are there, and are printed: what is not run, and why', () => {
    const named = exceptions.flatMap(({ shownBy }) => shownBy ?? []);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const lines = all.filter(isExcused).map((command) => {
      const { reason = '', shownBy } = exceptionFor(command) ?? {};
      const more = shownBy === undefined ? '' : ` (${shownBy})`;
      return `  ${command.page}:${command.line} ${command.text.split('\n', 1)[0]}: ${reason}${more}`;
    });
    const counts = `${all.length} commands in the documents, ${lines.length} of them not run here`;
    process.stdout.write(`${[counts, ...lines, `in the sandbox ${standIns}`].join('\n')}\n`);
    expect(lines.length).toBeLessThan(all.length / 2);
  });
});

const runnable = (page: string) => commandsOf(page).filter((command) => !isExcused(command));

describe.each(pages.filter((page) => runnable(page).length > 0))('commands of %s', (page) => {
  const run = runnable(page);
  // A page whose first command starts everything has no gateway before that.
  const begins = run[0] === undefined ? undefined : exceptionFor(run[0]);
  const alone = begins?.alone === true && begins.stays === true;
  let sandbox: Sandbox | undefined;

  beforeAll(async () => {
    sandbox = await createSandbox(page, alone);
  });
  afterAll(() => sandbox?.[Symbol.asyncDispose]());

  for (const command of run) {
    const title = `line ${command.line}: ${command.text.split('\n', 1)[0]}`;
    test(title, { timeout: 60_000 }, async () => {
      if (sandbox === undefined) throw new Error('there is no sandbox');
      const exception = exceptionFor(command);
      await using own = exception?.alone === true && !alone ? await createSandbox(page, true) : undefined;
      const terminal = own ?? sandbox;
      if (exception?.before !== undefined) {
        const before = await terminal.run(exception.before);
        expect(before.code, before.output).toBe(0);
      }
      if (exception?.until === undefined) {
        const ran = await terminal.run(command.text);
        expect(exception?.exits ?? [0], ran.output).toContain(ran.code);
        return;
      }
      const ran = await terminal.start(command.text, exception.until, exception.stays === true);
      expect(ran.output).toMatch(exception.until);
    });
  }
});
