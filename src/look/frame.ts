import { type Html, html } from '#kernel/html.ts';
import { styleSheetPath } from './style-answer.ts';

/** A page for people, whole. */
export interface Framed {
  readonly title: string;
  /** Whose page it is: stands above the card and in the window's title. */
  readonly site: Html | string;
  readonly siteName: string;
  readonly content: Html;
  readonly footer: Html | string;
  readonly width?: 'narrow' | 'wide' | 'broad';
  /** Runs at the end; the policy of the page has to name its hash. */
  readonly script?: Html;
}

/** The frame of every page: one card on a quiet ground, readable without the style sheet, whole without a script. */
export function frame(page: Framed): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} - ${page.siteName}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${styleSheetPath}">
</head>
<body>
<header class="brand">${mark}<span>${page.site}</span></header>
<main class="card ${page.width ?? 'narrow'}">
${page.content}
</main>
<footer>${page.footer}</footer>
${page.script}</body>
</html>`.text;
}

/** Three paths that become one: many applications behind one address. */
const mark = html`<svg aria-hidden="true" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M3 5c6 0 6 7 11 7M3 12h11M3 19c6 0 6-7 11-7"/><circle cx="18" cy="12" r="3" fill="currentColor"/></svg>`;
