import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const maxColumns = 116;
const fontSize = 13;
const lineHeight = 18;
const columnWidth = 7.85;
const padding = 18;

/** Takes the tour and draws what the terminal shows as `docs/pictures/tour.svg`. */
async function drawTour(): Promise<void> {
  const tour = Bun.spawn([process.execPath, join(root, 'bin', 'cortex.ts'), 'demo', '--once'], {
    cwd: root,
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const text = await new Response(tour.stdout).text();
  if ((await tour.exited) !== 0) throw new Error(`the tour broke off:\n${text}`);
  const lines = ['$ cortex demo --once', ...text.trimEnd().split('\n')].flatMap(shown);
  await Bun.write(join(root, 'docs', 'pictures', 'tour.svg'), svg(lines));
}

/** A line as the picture shows it: cut at the margin, and of the audit records only the last. */
function shown(line: string, index: number, all: readonly string[]): readonly string[] {
  const isRecord = /^\s+\{"v":1/.test(line);
  if (isRecord && /^\s+\{"v":1/.test(all[index + 1] ?? '')) return [];
  return [line.length <= maxColumns ? line : `${line.slice(0, maxColumns - 1)}…`];
}

function svg(lines: readonly string[]): string {
  const width = Math.ceil(maxColumns * columnWidth + 2 * padding);
  const height = lines.length * lineHeight + 2 * padding;
  const rows = lines.map((line, index) => row(line, padding + fontSize + index * lineHeight));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="cortex demo --once in a terminal">`,
    '<!-- Drawn by docs/pictures/tour.ts from a real run: bun docs/pictures/tour.ts -->',
    `<style>text { font: ${fontSize}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3; white-space: pre } .seen { fill: #9198a1 } .ok { fill: #3fb950 } .line { fill: #79c0ff }</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function row(line: string, y: number): string {
  const step = /^( ?\d+ )(ok)( .*)$/.exec(line);
  const [, number = '', mark = '', title = ''] = step ?? [];
  if (step !== null)
    return `<text x="${padding}" y="${y}" xml:space="preserve">${escaped(number)}<tspan class="ok">${mark}</tspan>${escaped(title)}</text>`;
  const kind = line.startsWith('$') ? 'line' : line.startsWith('      ') ? 'seen' : 'said';
  return `<text x="${padding}" y="${y}" class="${kind}" xml:space="preserve">${escaped(line)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

await drawTour();
