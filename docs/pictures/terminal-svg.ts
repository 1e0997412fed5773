const fontSize = 13;
const lineHeight = 18;
const columnWidth = 7.85;
const padding = 18;
const ground = '#0d1117';
const ink = '#e6edf3';
/** The sixteen colours by number, as a dark terminal has them. */
const palette = [
  ...['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'],
  ...['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#f0f6fc'],
];

interface Style {
  readonly color: string | undefined;
  readonly ground: string | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isReversed: boolean;
}
const plain: Style = { color: undefined, ground: undefined, isBold: false, isDim: false, isReversed: false };

/** The screen of a terminal, with its colour codes, as a picture. */
export function terminalSvg(screen: string, columns: number, label: string): string {
  const lines = screen.replace(/\n+$/, '').split('\n');
  const width = Math.ceil(columns * columnWidth + 2 * padding);
  const height = lines.length * lineHeight + 2 * padding;
  let style = plain;
  const rows = lines.map((line, index) => {
    const drawn = drawLine(line, style, index);
    style = drawn.style;
    return drawn.svg;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">`,
    '<!-- Drawn from a real terminal by a script of this folder. -->',
    `<style>text { font: ${fontSize}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: ${ink}; white-space: pre } .b { font-weight: 700 } .d { opacity: .65 }</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${ground}"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function drawLine(
  line: string,
  begin: Style,
  index: number,
): { readonly svg: string; readonly style: Style } {
  const top = padding + index * lineHeight;
  const parts: string[] = [];
  let style = begin;
  let column = 0;
  // Codes other than of colour (OSC links and the like) are not drawn by the views.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's codes begin with one.
  for (const piece of line.split(/(\x1b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    const codes = /^\x1b\[([\d;]*)m$/.exec(piece)?.[1];
    if (codes !== undefined) {
      style = restyled(style, codes.split(';').map(Number));
      continue;
    }
    if (piece === '') continue;
    const cells = [...piece];
    const x = padding + column * columnWidth;
    const [text, back] = style.isReversed
      ? [style.ground ?? ground, style.color ?? ink]
      : [style.color, style.ground];
    if (back !== undefined)
      parts.push(
        `<rect x="${x.toFixed(2)}" y="${top}" width="${(cells.length * columnWidth).toFixed(2)}" height="${lineHeight}" fill="${back}"/>`,
      );
    if (piece.trim() !== '') {
      const classes = [style.isBold ? 'b' : '', style.isDim ? 'd' : '']
        .filter((name) => name !== '')
        .join(' ');
      // Each place is given, so that another font's width moves nothing.
      const places = cells.map((_, at) => (x + at * columnWidth).toFixed(2)).join(' ');
      parts.push(
        `<text x="${places}" y="${top + fontSize}"${classes === '' ? '' : ` class="${classes}"`}${text === undefined ? '' : ` style="fill:${text}"`}>${escaped(piece)}</text>`,
      );
    }
    column += cells.length;
  }
  return { svg: parts.join(''), style };
}

function restyled(style: Style, codes: readonly number[]): Style {
  let next = style;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    const isExtended = code === 38 || code === 48;
    if (isExtended) {
      const isTrue = codes[at + 1] === 2;
      const color = isTrue
        ? `rgb(${codes[at + 2]},${codes[at + 3]},${codes[at + 4]})`
        : indexed(codes[at + 2] ?? 0);
      at += isTrue ? 4 : 2;
      next = code === 38 ? { ...next, color } : { ...next, ground: color };
    } else next = withCode(next, code);
  }
  return next;
}

function withCode(style: Style, code: number): Style {
  if (code === 0) return plain;
  if (code === 1) return { ...style, isBold: true };
  if (code === 2) return { ...style, isDim: true };
  if (code === 7) return { ...style, isReversed: true };
  if (code === 22) return { ...style, isBold: false, isDim: false };
  if (code === 27) return { ...style, isReversed: false };
  if (code === 39) return { ...style, color: undefined };
  if (code === 49) return { ...style, ground: undefined };
  if (code >= 30 && code <= 37) return { ...style, color: palette[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, color: palette[code - 82] };
  if (code >= 40 && code <= 47) return { ...style, ground: palette[code - 40] };
  if (code >= 100 && code <= 107) return { ...style, ground: palette[code - 92] };
  return style;
}

/** A colour of the 256: the sixteen, the cube, the greys. */
function indexed(index: number): string {
  if (index < 16) return palette[index] ?? ink;
  if (index >= 232) return grey(8 + (index - 232) * 10);
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}

function grey(level: number): string {
  return `rgb(${level},${level},${level})`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
