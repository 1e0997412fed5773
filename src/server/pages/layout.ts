import { type Html, html } from '#kernel/html.ts';
import { styleSheetPath } from './style-sheet.ts';

/** The frame of every page: one card on a quiet ground, no script, readable without the style sheet. */
export function layout(page: {
  readonly title: string;
  /** What the gateway calls itself. */
  readonly gateway: string;
  readonly content: Html;
  readonly width?: 'narrow' | 'wide';
}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} - ${page.gateway}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${styleSheetPath}">
</head>
<body>
<header class="brand">${mark}<span>${page.gateway}</span></header>
<main class="card ${page.width ?? 'narrow'}">
${page.content}
</main>
<footer>Your agents use these accounts in your name alone.</footer>
</body>
</html>`.text;
}

/** Three paths that become one: many applications behind one address. */
const mark = html`<svg aria-hidden="true" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M3 5c6 0 6 7 11 7M3 12h11M3 19c6 0 6-7 11-7"/><circle cx="18" cy="12" r="3" fill="currentColor"/></svg>`;
