import { type Html, html } from '#kernel/html.ts';
import type { OperatorRole } from '../../operation.ts';
import { covers } from '../admin-door.ts';
import type { AdminSession } from '../admin-sessions.ts';
import { scriptPath, styleSheetPath } from './assets.ts';

/** A part of a page, drawn when it is shown; one that is live is drawn again, and sent when it looks different. */
export interface PagePart {
  readonly id: string;
  readonly content: () => Html;
  readonly isLive?: true;
}

export interface ConsolePage {
  readonly title: string;
  /** Which entry of the navigation it belongs to. */
  readonly place: Place;
  readonly status?: number;
  /** Above the parts: where one is, or what just happened. */
  readonly parts: readonly PagePart[];
}

const places = [
  { place: '', label: 'Overview', icon: 'M4 13h6V4H4zm0 7h6v-5H4zm8 0h8v-9h-8zm0-16v5h8V4z' },
  { place: 'catalog', label: 'Catalog', icon: 'M4 5h16v3H4zm0 5.5h16v3H4zM4 16h16v3H4z' },
  {
    place: 'quarantine',
    label: 'Quarantine',
    icon: 'M12 3l8 3v6c0 4.5-3.4 8-8 9-4.6-1-8-4.5-8-9V6zm-1 5v5h2V8zm0 7v2h2v-2z',
  },
  { place: 'audit', label: 'Audit', icon: 'M6 3h9l4 4v14H6zm3 7v1.8h7V10zm0 4v1.8h7V14z' },
  {
    place: 'grants',
    label: 'Linked accounts',
    icon: 'M8 12a4 4 0 1 1 0-8 4 4 0 0 1 0 8zm8 0a3 3 0 1 1 0-6 3 3 0 0 1 0 6zM2 20c0-3.5 3-6 6-6s6 2.5 6 6zm13.5 0c0-2.3-.8-4.3-2-5.7.8-.3 1.6-.5 2.5-.5 3 0 6 2.2 6 6.2z',
  },
  {
    place: 'revoke',
    label: 'Revocation',
    icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.5c1.4 0 2.7.4 3.8 1.2L6.7 15.8A6.5 6.5 0 0 1 12 5.5zm0 13c-1.4 0-2.7-.4-3.8-1.2l9.1-9.1A6.5 6.5 0 0 1 12 18.5z',
  },
] as const;
export type Place = (typeof places)[number]['place'];

/** Who looks, and from where: what every page is drawn with. */
export interface Viewer {
  readonly session: AdminSession;
  /** The address of the overview, with a slash at its end. */
  readonly base: string;
  readonly now: number;
}

export function mayDo({ session }: Viewer, role: OperatorRole): boolean {
  return covers(session.operator.role, role);
}

/** A form that acts: nothing happens without what only this session's pages hold. */
export function actForm(
  viewer: Viewer,
  action: string,
  fields: Readonly<Record<string, string>>,
  content: Html,
): Html {
  const hidden = Object.entries({ ...fields, csrf: viewer.session.csrf }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${viewer.base}${action}">${hidden}${content}</form>`;
}

/** The whole document. `address` is the page's own, below the base, as its live parts are asked for. */
export function drawPage(page: ConsolePage, viewer: Viewer, gateway: string, address: string): string {
  const { session, base } = viewer;
  const isLive = page.parts.some((part) => part.isLive === true);
  const links = places.map(
    ({ place, label, icon }) =>
      html`<li><a href="${base}${place}"${place === page.place ? current : undefined}><svg aria-hidden="true" viewBox="0 0 24 24" width="18" height="18"><path d="${icon}"/></svg>${label}</a></li>`,
  );
  const { name, role } = session.operator;
  return documentOf(
    `${page.title} - ${gateway}`,
    html`<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="side">
<p class="brand">${mark}<span>${gateway}</span></p>
<nav aria-label="Console"><ul>${links}</ul></nav>
<div class="who"><p><strong>${name}</strong> <span class="role">${role}</span></p>
${actForm(viewer, 'sign-out', {}, html`<button class="link">Sign out</button>`)}</div>
</header>
<main id="main" tabindex="-1">
<div class="head"><h1>${page.title}</h1>${isLive ? liveMark(base, address) : undefined}</div>
${page.parts.map(
  ({
    id,
    content,
    isLive: live,
  }) => html`<div id="${id}"${live === true ? liveAttribute : undefined}>${content()}</div>
`,
)}</main>
</body>`,
    isLive ? html` data-live="${base}live?${new URLSearchParams({ of: address }).toString()}"` : undefined,
  );
}

const current = html` aria-current="page"`;
const liveAttribute = html` class="live"`;

function liveMark(base: string, address: string): Html {
  return html`<p class="pulse"><span id="pulse" role="status">Shown as it was</span> <button type="button" id="pause" class="link" hidden>Pause</button><a class="refresh" href="${base}${address}">Refresh</a></p>`;
}

/** A page for nobody in particular: signing in, or why not. */
export function drawDoor(title: string, gateway: string, content: Html, attribute?: Html): string {
  return documentOf(
    `${title} - ${gateway}`,
    html`<body class="door"><main><p class="brand">${mark}<span>${gateway}</span></p>
${content}</main></body>`,
    attribute,
  );
}

function documentOf(title: string, body: Html, attribute: Html | undefined): string {
  return html`<!doctype html>
<html lang="en"${attribute}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${styleSheetPath}">
<script src="${scriptPath}" defer></script>
</head>
${body}
</html>`.text;
}

const mark = html`<svg aria-hidden="true" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M3 5c6 0 6 7 11 7M3 12h11M3 19c6 0 6-7 11-7"/><circle cx="18" cy="12" r="3" fill="currentColor"/></svg>`;
