import { visibleText } from '../visible-text.ts';

const maxFlatLength = 400;
const maxWrappedLength = 20_000;

/** Somebody else's text on one row: nothing in it drives the terminal, breaks the row or grows over its neighbours. */
export function flatText(text: string): string {
  return calm(text.slice(0, maxFlatLength).replaceAll(/\s+/g, ' ')).trim();
}

/** Somebody else's text as rows of at most that width, at its line ends and between words. */
export function wrappedText(text: string, width: number): readonly string[] {
  const own = calm(text.slice(0, maxWrappedLength).replaceAll(/\r\n?/g, '\n').replaceAll('\t', '  '));
  return own
    .trimEnd()
    .split('\n')
    .flatMap((line) => wrappedLine(line, Math.max(8, width)));
}

/** What goes on in the next row is indented like the first. */
function wrappedLine(line: string, width: number): readonly string[] {
  const indent = ' '.repeat(Math.min(line.length - line.trimStart().length, Math.floor(width / 2)));
  const [first = '', ...more] = Bun.wrapAnsi(line.trimStart(), width - indent.length, { hard: true }).split(
    '\n',
  );
  return [first, ...more].map((row) => `${indent}${row}`);
}

/** Marks pile up over a letter without end; two are as many as a language needs. */
function calm(text: string): string {
  return visibleText(text).replaceAll(/(\p{M}{2})\p{M}+/gu, '$1');
}
