import type { Line } from './line.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** One key, or a text that was typed or pasted. */
export interface KeyPress {
  /** `up`, `enter`, `ctrl+r`, `shift+tab`; empty where `text` is typed. */
  readonly key: string;
  readonly text: string;
}

/**
 * A screen as functions of a state: nothing here knows the terminal. `frame` gives at most `size.rows` lines.
 */
export interface View<State> {
  readonly initial: State;
  readonly frame: (state: State, size: Size) => readonly Line[];
  /** The state after a key; undefined: the person is done. */
  readonly press: (state: State, key: KeyPress, size: Size) => State | undefined;
  /** What changes by itself. Called once; stops at `signal`. */
  readonly feed?: (change: (next: (state: State) => State) => void, signal: AbortSignal) => Promise<void>;
}
