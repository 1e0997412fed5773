/** What a text means; the theme knows its colour. */
export type Tone = 'accent' | 'good' | 'warn' | 'bad' | 'soft' | 'frame';

export interface Span {
  readonly text: string;
  readonly tone?: Tone | undefined;
  readonly isBold?: boolean;
  /** Of the row that is chosen. */
  readonly isMarked?: boolean;
}

/** One row of the screen. */
export type Line = readonly Span[];

export const emptyLine: Line = [];

export function span(text: string, tone?: Tone): Span {
  return { text, tone };
}
export function bold(text: string, tone?: Tone): Span {
  return { text, tone, isBold: true };
}

/** The text in exactly that many columns: cut with an ellipsis, or padded. */
export function fitText(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  if (width <= 0) return '';
  const cut = Bun.stringWidth(text) > width ? Bun.sliceAnsi(text, 0, width, { ellipsis: '…' }) : text;
  const space = ' '.repeat(Math.max(0, width - Bun.stringWidth(cut)));
  return side === 'left' ? `${cut}${space}` : `${space}${cut}`;
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + Bun.stringWidth(text), 0);
}

/** The line in exactly that many columns. */
export function fitLine(line: Line, width: number): Line {
  const fitted: Span[] = [];
  let rest = width;
  for (const part of line) {
    if (rest <= 0) break;
    const own = Bun.stringWidth(part.text);
    fitted.push(own <= rest ? part : { ...part, text: fitText(part.text, rest) });
    rest -= Math.min(own, rest);
  }
  return rest > 0 ? [...fitted, span(' '.repeat(rest))] : fitted;
}

/** `left` at the left edge and `right` at the right one; where both do not fitText, `right` gives way. */
export function spread(left: Line, right: Line, width: number): Line {
  const gap = width - widthOf(left) - widthOf(right);
  if (gap < 1) return fitLine(left, width);
  return [...left, span(' '.repeat(gap)), ...right];
}

/** A line from edge to edge, with a title in it. */
export function rule(width: number, title?: string): Line {
  if (title === undefined) return [span('─'.repeat(width), 'frame')];
  const shown = fitText(title, Math.min(Bun.stringWidth(title), width - 6));
  return [
    span('── ', 'frame'),
    bold(shown, 'soft'),
    span(` ${'─'.repeat(Math.max(0, width - Bun.stringWidth(shown) - 4))}`, 'frame'),
  ];
}

/** The line on the ground of what is chosen. */
export function marked(line: Line): Line {
  return line.map((part) => ({ ...part, isMarked: true }));
}

/** Exactly so many rows. */
export function fitRows(lines: readonly Line[], rows: number): readonly Line[] {
  const kept = lines.slice(0, Math.max(0, rows));
  return [...kept, ...Array.from({ length: Math.max(0, rows - kept.length) }, () => emptyLine)];
}

/** Two blocks side by side. */
export function beside(
  left: readonly Line[],
  leftWidth: number,
  right: readonly Line[],
  rightWidth: number,
): readonly Line[] {
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, row) => [
    ...fitLine(left[row] ?? emptyLine, leftWidth),
    span(' │ ', 'frame'),
    ...fitLine(right[row] ?? emptyLine, rightWidth),
  ]);
}

/** Columns that {@link beside} puts between its blocks. */
export const besideGap = 3;

/** What the keys do; what has no room is left out whole. */
export function keyHints(pairs: readonly (readonly [key: string, what: string])[], columns: number): Line {
  const line: Span[] = [span(' ')];
  for (const [key, what] of pairs) {
    const next = [bold(key, 'accent'), span(` ${what}  `, 'soft')];
    if (widthOf([...line, ...next]) > columns + 2) break;
    line.push(...next);
  }
  return fitLine(line, columns);
}
