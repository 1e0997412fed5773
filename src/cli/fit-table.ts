export interface FittedTable {
  /** Undefined where each row names its cells itself. */
  readonly head: string | undefined;
  /** One text a row, of several lines where a cell had to be wrapped. */
  readonly rows: readonly string[];
}

const gap = '  ';
/** Narrower columns are not read any more: then each row becomes a block of its own. */
const narrowest = 10;

/**
 * Rows as aligned columns, the last one ragged, no wider than `width` where there is one: the widest columns are
 * wrapped, and where that does not do, each cell gets a line of its own. Nothing is left out.
 */
export function fitTable(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  width: number | undefined,
): FittedTable {
  const all = head === undefined ? rows : [head, ...rows];
  const natural: number[] = [];
  for (const row of all) {
    for (const [at, cell] of row.entries()) natural[at] = Math.max(natural[at] ?? 0, Bun.stringWidth(cell));
  }
  const widths = width === undefined ? natural : shrink(natural, width - gap.length * (natural.length - 1));
  if (widths === undefined) return { head: undefined, rows: blocks(head, rows, width ?? 0) };
  const lines = all.map((row) => drawRow(row, widths));
  return head === undefined ? { head: undefined, rows: lines } : { head: lines[0], rows: lines.slice(1) };
}

/** The widest columns made narrower, all to the same width; undefined where they would get too narrow. */
function shrink(natural: readonly number[], available: number): readonly number[] | undefined {
  const sum = (cap: number) => natural.reduce((total, width) => total + Math.min(width, cap), 0);
  let cap = Math.max(...natural, 0);
  while (sum(cap) > available && cap >= narrowest) cap -= 1;
  return cap < narrowest && sum(cap) > available ? undefined : natural.map((width) => Math.min(width, cap));
}

function drawRow(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, at) => wrap(cell, widths[at] ?? 0));
  const height = Math.max(...cells.map((lines) => lines.length), 1);
  return Array.from({ length: height }, (_, at) =>
    cells
      .map((lines, column) => padded(lines[at] ?? '', widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  ).join('\n');
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** Breaks at blanks, else after what parts names and addresses, else anywhere; what is painted stays whole. */
function wrap(text: string, width: number): readonly string[] {
  if (Bun.stringWidth(text) <= width || text.includes('\u001b')) return [text];
  const lines: string[] = [];
  let line = '';
  for (const piece of text.match(/[^\s/,:._-]*[/,:._-]?\s*/g) ?? []) {
    let rest = piece;
    if (line !== '' && Bun.stringWidth(line + rest.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    while (line === '' && Bun.stringWidth(rest.trimEnd()) > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line += rest;
  }
  return line.trim() === '' ? lines : [...lines, line.trimEnd()];
}

/** Each row as lines of `NAME  cell`, rows parted by an empty line. */
function blocks(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const label = Math.max(0, ...(head ?? []).map((name) => Bun.stringWidth(name)));
  return rows.map((row, at) => {
    const lines = row.map((cell, column) =>
      drawRow([head?.[column] ?? '', cell], [label, Math.max(narrowest, width - label - gap.length)]),
    );
    return [...(at === 0 ? [] : ['']), ...lines].join('\n');
  });
}
