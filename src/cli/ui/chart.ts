import { type Line, type Span, span, type Tone } from './line.ts';

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** One column a value, the highest as high as the row; what is nothing is a thin line. */
export function sparkline(values: readonly number[], tone: Tone): Line {
  const most = Math.max(0, ...values);
  const spans: Span[] = [];
  for (const value of values) {
    const step = most === 0 ? 0 : Math.ceil((value / most) * (heights.length - 1));
    const own: Tone = value === 0 ? 'frame' : tone;
    const last = spans.at(-1);
    const text = heights[step] ?? '█';
    if (last !== undefined && last.tone === own) spans[spans.length - 1] = span(`${last.text}${text}`, own);
    else spans.push(span(text, own));
  }
  return spans;
}

/** A bar of that share (0 to 1) of the width, and spaces after it. */
export function bar(share: number, width: number, tone: Tone): Span {
  const halves = Math.max(share > 0 ? 1 : 0, Math.round(Math.min(1, share) * width * 2));
  const text = '━'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '╸' : '');
  return span(text.padEnd(width), tone);
}
