import { CANCEL_SYMBOL, confirm, intro, log, multiselect, select, spinner, text } from '@clack/prompts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

/** Questions on a terminal. They go to stderr: stdout has the answer of the command. Whoever stops gets a {@link UserError}. */
export interface Questions {
  text(message: string, more: TextMore): Promise<string>;
  /** `options`: value -> how it is shown. */
  choose(message: string, options: Readonly<Record<string, string>>, first: string): Promise<string>;
  chooseMany(
    message: string,
    options: readonly string[],
    chosen: readonly string[],
  ): Promise<readonly string[]>;
  confirm(message: string, isYes: boolean): Promise<boolean>;
  /** Shows that something takes its time. */
  during<T>(message: string, work: () => Promise<T>): Promise<T>;
  say(message: string): void;
}
interface TextMore {
  readonly placeholder?: string;
  readonly initial?: string;
  /** What is wrong with an answer, in words. */
  readonly problem?: (answer: string) => string | undefined;
}

const shownAtOnce = 10;

export function createQuestions(title: string): Questions {
  const output = process.stderr;
  intro(title, { output });
  async function answered<T>(asked: Promise<T | typeof CANCEL_SYMBOL>): Promise<T> {
    const answer = await asked;
    if (answer !== CANCEL_SYMBOL) return answer;
    throw new UserError('stopped: nothing was written', { exitCode: exitCodes.no, next: 'cortex init' });
  }
  const plain = (values: readonly string[]) => values.map((value) => ({ value, label: value }));
  return {
    text: async (message, { placeholder, initial, problem }) =>
      (
        await answered(
          text({
            message,
            output,
            ...(placeholder !== undefined && { placeholder }),
            ...(initial !== undefined && { initialValue: initial }),
            ...(problem !== undefined && { validate: (answer) => problem((answer ?? '').trim()) }),
          }),
        )
      ).trim(),
    choose: async (message, options, first) =>
      answered(
        select({
          message,
          output,
          options: Object.entries(options).map(([value, label]) => ({ value, label })),
          initialValue: first,
          maxItems: shownAtOnce,
        }),
      ),
    chooseMany: async (message, options, chosen) =>
      answered(
        multiselect({
          message,
          output,
          options: plain(options),
          initialValues: [...chosen],
          maxItems: shownAtOnce,
          required: true,
        }),
      ),
    confirm: async (message, isYes) => answered(confirm({ message, output, initialValue: isYes })),
    async during(message, work) {
      const turning = spinner({ output });
      turning.start(message);
      try {
        return await work();
      } finally {
        turning.stop(message);
      }
    },
    say: (message) => log.message(message, { output }),
  };
}
