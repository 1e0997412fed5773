import { type Html, html } from '#kernel/html.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

/** How long ago, to read at a glance; the exact moment is in the markup. */
export function ago(then: number, now: number): Html {
  return time(then, agoText(Math.max(0, now - then), then));
}

function agoText(ms: number, then: number): string {
  if (ms < minuteMs) return 'just now';
  if (ms < hourMs) return `${plural(Math.floor(ms / minuteMs), 'minute')} ago`;
  if (ms < dayMs) return `${plural(Math.floor(ms / hourMs), 'hour')} ago`;
  if (ms < 14 * dayMs) return `${plural(Math.floor(ms / dayMs), 'day')} ago`;
  return dayText(then);
}

/** A day, as people write it. */
export function day(then: number): Html {
  return time(then, dayText(then));
}

function dayText(then: number): string {
  const date = new Date(then);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

function time(then: number, text: string): Html {
  const iso = new Date(then).toISOString();
  return html`<time datetime="${iso}" title="${iso.slice(0, 16).replace('T', ' ')} UTC">${text}</time>`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What somebody else chose, without what could turn or hide the words around it, and not endless. */
export function shown(text: string, maxLength = 100): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '').trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}
