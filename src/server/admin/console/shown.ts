import { type Html, html } from '#kernel/html.ts';

/** What draws nothing, turns the words around it, or stands for something private: it is spelled out. */
const hidden =
  /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]|\p{Default_Ignorable_Code_Point}|\u2800|[\u{e0000}-\u{e0fff}]/gu;

/** Somebody else's text as an operator has to see it: nothing hides in it, and it is not endless. */
export function visible(text: string, maxLength = 300): Html {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  const parts: Html[] = [];
  let from = 0;
  for (const match of cut.matchAll(hidden)) {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    parts.push(html`${cut.slice(from, match.index)}<span class="hidden">U+${code}</span>`);
    from = match.index + match[0].length;
  }
  parts.push(html`${cut.slice(from)}`);
  return html`${parts}`;
}

export function duration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 0.1) return `${Number((ms * 1_000).toPrecision(2))} µs`;
  if (ms < 10) return `${Number(ms.toPrecision(2))} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1_000).toFixed(1)} KB` : `${(count / 1_000_000).toFixed(1)} MB`;
}

export function count(number: number): string {
  return number < 10_000 ? String(number) : `${(number / 1_000).toFixed(number < 100_000 ? 1 : 0)}k`;
}

export function share(part: number, whole: number): string {
  if (whole === 0) return '-';
  const percent = (part / whole) * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** The time of day in UTC; the whole moment is in the markup. */
export function clockTime(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(11, 19)}</time>`;
}
