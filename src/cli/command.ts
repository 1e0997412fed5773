import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

/** A command as data: what the help says, and where its code is. */
export interface CommandSpec {
  /** One word, or a group and a word: `audit tail`. */
  readonly name: string;
  readonly summary: string;
  /** What the summary leaves open. */
  readonly description: string;
  readonly args: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly ExampleSpec[];
  /** Fetched when the command runs, so that no command pays for another. */
  readonly load: () => Promise<RunCommand>;
}
export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly isRequired: boolean;
  /** What it looks like, where it may begin with a dash and is no option for that. */
  readonly shape?: RegExp;
}
export interface OptionSpec {
  /** Without dashes: `listen`, `dry-run`. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for the value, with `...` where it takes several words; without one the option is a switch. */
  readonly value?: string;
  readonly summary: string;
  /** May be given several times. */
  readonly isRepeatable?: boolean;
  /** The values it takes. */
  readonly choices?: readonly string[];
}
export interface ExampleSpec {
  readonly line: string;
  readonly meaning: string;
}

/** Runs a command; the number is the exit code. */
export type RunCommand = (invocation: Invocation) => Promise<number>;

/** What the caller asked for. */
export interface Invocation {
  /** Only the arguments that were given. */
  readonly args: readonly string[];
  readonly options: GivenOptions;
  readonly terminal: Terminal;
  readonly output: Output;
}

/** The options given, global ones included, by their names without dashes. */
export interface GivenOptions {
  has(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
}
