import type { JsonValue } from '#kernel/json.ts';
import { fitTable } from './fit-table.ts';
import { withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { visibleText } from './visible-text.ts';

export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly next: string | undefined;
  readonly id: string | undefined;
}

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** How a command speaks. With `--json` stdout holds JSON alone. */
export interface Output {
  readonly isJson: boolean;
  /** Nobody asked for no colours; whether there are any is up to the terminal. */
  readonly mayPaint: boolean;
  /** One line of data. */
  line(text: string): void;
  /** Rows as columns that fit the terminal; in a pipe each row is one line, however long. */
  table(table: Table): void;
  /** The one JSON document of a command. */
  document(value: JsonValue): void;
  /** One JSON value of a stream. */
  jsonLine(value: JsonValue): void;
  /** Does what may take long, and says so while it does. */
  during<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** Talk; `--quiet` silences it. */
  note(text: string): void;
  /** Talk that `--quiet` does not silence. */
  warn(text: string): void;
  failure(failure: Failure): void;
  /** The stack of a fault. */
  detail(text: string): void;
  /** The text in colour where there is colour. */
  paint(style: Style, text: string): string;
}

interface Table {
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How the row at this place is painted. */
  readonly style?: (at: number) => Style | undefined;
  /** Lines to follow the row at this place. */
  readonly below?: (at: number) => readonly string[];
}

interface OutputOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly mayColor: boolean;
}

export function createOutput(terminal: Terminal, options: OutputOptions): Output {
  const { environment } = terminal;
  const hasNoColor = environment.NO_COLOR !== undefined && environment.NO_COLOR !== '';
  const mayColor = options.mayColor && !hasNoColor && environment.TERM !== 'dumb';
  // Whether this is a terminal is asked where something is painted: a start would pay for the answer.
  const paint = (style: Style, text: string) =>
    mayColor && terminal.isInteractive ? `\x1b[${ansi[style]}m${text}\x1b[0m` : text;

  return {
    isJson: options.isJson,
    mayPaint: mayColor,
    line: (text) => terminal.out(`${text}\n`),
    table({ head, rows, style, below }) {
      const fitted = fitTable(head, rows, terminal.isInteractive ? terminal.columns : undefined);
      if (fitted.head !== undefined) terminal.out(`${paint('bold', fitted.head)}\n`);
      for (const [at, row] of fitted.rows.entries()) {
        const chosen = style?.(at);
        terminal.out(`${chosen === undefined ? row : paint(chosen, row)}\n`);
        for (const line of below?.(at) ?? []) terminal.out(`${line}\n`);
      }
    },
    document: (value) => terminal.out(`${JSON.stringify(value, undefined, 2)}\n`),
    jsonLine: (value) => terminal.out(`${JSON.stringify(value)}\n`),
    during: (what, work) => (options.isQuiet ? work() : withProgress(terminal, what, work)),
    note: (text) => (options.isQuiet ? undefined : terminal.say(`${text}\n`)),
    warn: (text) => terminal.say(`${text}\n`),
    detail: (text) => terminal.say(`${text}\n`),
    failure({ code, message, next, id }) {
      if (options.isJson) {
        terminal.out(`${JSON.stringify({ error: { code, message, next, id } }, undefined, 2)}\n`);
        return;
      }
      // Some of it may be the words of a server.
      terminal.say(`${paint('red', 'cortex:')} ${visibleText(message)}\n`);
      if (next !== undefined) terminal.say(`  next: ${visibleText(next)}\n`);
    },
    paint,
  };
}

const ansi = { bold: '1', dim: '2', red: '31', yellow: '33', green: '32' } as const;

/** Rows as aligned columns, the last one ragged. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `1 problem`, `5 problems`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
