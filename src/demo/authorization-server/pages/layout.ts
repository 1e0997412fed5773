import { type Html, html } from '#kernel/html.ts';

/** The frame of every page: one card on a quiet ground, no script, readable without the style sheet. */
export function layout(title: string, content: Html, width: 'narrow' | 'wide' = 'narrow'): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - Cortex demo</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="brand">${mark}<span>Cortex <span class="quiet">demo</span></span></header>
<main class="card ${width}">
${content}
</main>
<footer>A demo authorization server. Do not enter real secrets.</footer>
</body>
</html>`.text;
}

/** Three paths that become one: many applications behind one address. */
const mark = html`<svg aria-hidden="true" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M3 5c6 0 6 7 11 7M3 12h11M3 19c6 0 6-7 11-7"/><circle cx="18" cy="12" r="3" fill="currentColor"/></svg>`;
