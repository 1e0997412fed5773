import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { CommandSpec, GivenOptions, OptionSpec } from './command.ts';
import { commandGroups, globalOptions } from './commands.ts';
import { reportFailure, UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { alignColumns, createOutput, type Output } from './output.ts';
import { release } from './release.ts';
import { ReaderGone, type Terminal } from './terminal.ts';

/** Parses `argv` (without the program), runs the command it names and returns the exit code. Throws {@link ReaderGone} alone. */
export async function runProgram(
  argv: readonly string[],
  terminal: Terminal,
  commands: readonly CommandSpec[],
): Promise<number> {
  let exitCode: number = exitCodes.done;
  let output = createOutput(terminal, {
    isJson: isGiven(argv, '--json'),
    isQuiet: false,
    mayColor: !isGiven(argv, '--no-color'),
  });

  const program = createProgram(terminal);
  const isList = listing.has(argv.join(' '));
  for (const spec of neededFor(argv, commands)) {
    if (isList) {
      listCommand(program, spec);
      continue;
    }
    const command = addCommand(program, spec);
    command.action(async () => {
      const options = givenOptions(command.optsWithGlobals());
      output = outputFor(terminal, options);
      const run = await spec.load();
      exitCode = await run({ args: command.args, options, terminal, output });
    });
  }
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...withoutDashes(argv, commands)], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof ReaderGone) throw error;
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
    const showsDetail = isGiven(argv, '--verbose') || (terminal.environment.CORTEX_DEBUG ?? '') !== '';
    return reportFailure(
      error instanceof CommanderError ? usageError(error, argv, commands) : error,
      output,
      showsDetail,
    );
  }
}

/** An argument that looks like an option, and like what the command takes, goes to the end, where no option can be. */
function withoutDashes(argv: readonly string[], commands: readonly CommandSpec[]): readonly string[] {
  const spec = commands.find(({ name }) => name.split(' ').every((word, at) => argv[at] === word));
  const shape = spec?.args.find((argument) => argument.shape !== undefined)?.shape;
  if (spec === undefined || shape === undefined || argv.includes('--')) return argv;
  const isValue = (before: string | undefined) =>
    spec.options.some(({ name, value }) => value !== undefined && before === `--${name}`);
  const at = argv.findIndex(
    (word, index) => word.startsWith('-') && shape.test(word) && !isValue(argv[index - 1]),
  );
  return at < 0 ? argv : [...argv.slice(0, at), ...argv.slice(at + 1), '--', argv[at] ?? ''];
}

/** The commands that begin with the first word; all where it is none of theirs. Each one made costs every start. */
function neededFor(argv: readonly string[], commands: readonly CommandSpec[]): readonly CommandSpec[] {
  const named = commands.filter(({ name }) => name.split(' ', 1)[0] === argv[0]);
  return named.length > 0 ? named : commands;
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('cortex')
    .description('One MCP server in front of all your apps, with each app’s own permissions, per user.')
    .version(`cortex ${release.version}`, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand('help [command]', 'Print the help of a command.')
    .exitOverride()
    // The help holds no colours: to look for some would load a module of the runtime's for nothing.
    .configureHelp({ showGlobalOptions: true, subcommandTerm, displayWidth: (text) => text.length })
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.say,
      outputError: () => {},
      stripColor: (text) => text,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    });
  for (const spec of globalOptions) program.addOption(toOption(spec));
  program.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 the answer is no, 2 your mistake, 3 not reachable, 70 our fault.\nNext: cortex <command> --help',
  );
  return program;
}

/** Where only the commands are listed, nothing else of them is made. */
const listing: ReadonlySet<string> = new Set(['', '-h', '--help', 'help']);

function listCommand(program: Command, { name, summary, args }: CommandSpec): void {
  const [first = '', second] = name.split(' ');
  if (second === undefined) addArguments(program.command(first).summary(summary), args);
  else findOrAddGroup(program, first);
}

function addArguments(command: Command, args: CommandSpec['args']): void {
  for (const { name, summary, isRequired } of args)
    command.argument(isRequired ? `<${name}>` : `[${name}]`, summary);
}

function addCommand(program: Command, spec: CommandSpec): Command {
  const [first = '', second] = spec.name.split(' ');
  const parent = second === undefined ? program : findOrAddGroup(program, first);
  const command = parent
    .command(second ?? first)
    .summary(spec.summary)
    .description(spec.description);
  addArguments(command, spec.args);
  for (const option of spec.options) command.addOption(toOption(option));
  const examples = alignColumns(spec.examples.map(({ line, meaning }) => [`  ${line}`, meaning]));
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  return command;
}

function findOrAddGroup(program: Command, name: string): Command {
  const present = program.commands.find((command) => command.name() === name);
  return present ?? program.command(name).description(commandGroups.get(name) ?? '');
}

function subcommandTerm(command: Command): string {
  const args = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [command.name(), ...args].join(' ');
}

function toOption(spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.value === undefined ? '' : ` <${spec.value}>`;
  const option = new Option(`${short}--${spec.name}${value}`, spec.summary);
  const { choices } = spec;
  if (choices !== undefined) option.choices([...choices]);
  if (spec.isRepeatable === true) {
    option.argParser((text: string, before: readonly string[] = []) => {
      // A parser of one's own takes the place of the one that knows the choices.
      if (choices?.includes(text) === false) {
        throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
      }
      return [...before, text];
    });
  }
  return option;
}

function givenOptions(raw: Readonly<Record<string, unknown>>): GivenOptions {
  const values = new Map(Object.entries(raw));
  const read = (name: string) =>
    values.get(name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase()));
  return {
    has: (name) => read(name) === true,
    text(name) {
      const value = read(name);
      return typeof value === 'string' ? value : undefined;
    },
    list(name) {
      const value = read(name);
      return Array.isArray(value) ? value.map(String) : [];
    },
  };
}

function outputFor(terminal: Terminal, options: GivenOptions): Output {
  return createOutput(terminal, {
    isJson: options.has('json'),
    isQuiet: options.has('quiet'),
    mayColor: options.has('color'),
  });
}

/** Commander's own words, with its suggestion, as an error of the caller. */
function usageError(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly CommandSpec[],
): UserError {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const words = argv.filter((word) => !word.startsWith('-'));
  const named = commands.find(({ name }) => words.slice(0, name.split(' ').length).join(' ') === name);
  return new UserError(message, { next: `cortex ${named === undefined ? '' : `${named.name} `}--help` });
}

function isGiven(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes(flag);
}
