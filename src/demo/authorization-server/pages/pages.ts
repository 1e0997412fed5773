import { type Html, html } from '#kernel/html.ts';
import type { RedirectTarget } from '../redirect-uri.ts';
import { layout } from './layout.ts';

const hidden = (name: string, value: string) => html`<input type="hidden" name="${name}" value="${value}">`;
const items = (texts: readonly string[]) => texts.map((text) => html`<li><span>${text}</span></li>`);

/** The e-mail form. The field `website` is out of sight: whoever fills it is a program. */
export function signInPage(page: {
  readonly next: string;
  readonly csrf: string;
  readonly problem: string | undefined;
  readonly email: string;
}): string {
  const problem =
    page.problem === undefined
      ? undefined
      : html`<p class="problem" id="problem" role="alert">${page.problem}</p>`;
  const described =
    page.problem === undefined ? undefined : html` aria-invalid="true" aria-describedby="problem"`;
  return layout(
    'Sign in',
    html`<h1>Sign in</h1>
<p class="quiet">We mail you a link, there is no password. New here? The same link makes your account.</p>
<form method="post" action="/sign-in">
${hidden('csrf', page.csrf)}${hidden('next', page.next)}
<label for="email">E-mail address</label>
<input type="email" id="email" name="email" value="${page.email}" autocomplete="email" required autofocus${described}>
${problem}
<div class="aside" aria-hidden="true"><label for="website">Leave this empty</label><input id="website" name="website" tabindex="-1" autocomplete="off"></div>
<button class="button full">Mail me a link</button>
</form>`,
  );
}

/** The same for everybody, so that it tells nobody who has an account. */
export function checkMailPage(email: string, next: string): string {
  return layout(
    'Check your mail',
    html`<h1>Check your mail</h1>
<p>A link is on its way to <strong>${email}</strong>. Open it in this browser; it works once, for 15 minutes.</p>
<p class="quiet small">On a demo that runs on your own machine, the link is printed in its terminal.</p>
<p class="small"><a href="/sign-in?${new URLSearchParams({ next }).toString()}">Use another address</a></p>`,
  );
}

/** Opening a link changes nothing: previews and mail scanners do that too. The button does. */
export function confirmPage(page: {
  readonly token: string;
  readonly email: string;
  readonly csrf: string;
}): string {
  return layout(
    'Confirm sign-in',
    html`<h1>One more click</h1>
<p>Sign in as <strong>${page.email}</strong> in this browser?</p>
<form method="post" action="/sign-in/link">
${hidden('csrf', page.csrf)}${hidden('token', page.token)}
<button class="button full">Sign in</button>
</form>`,
  );
}

export interface ConsentPage {
  readonly clientName: string;
  readonly clientId: string;
  readonly target: RedirectTarget;
  readonly resource: string;
  readonly email: string;
  /** What the application gets now. */
  readonly allowed: readonly string[];
  /** What it asked for besides, and gets once the user's plan includes it. */
  readonly later: readonly string[];
  readonly query: string;
  readonly csrf: string;
}

/** Who asks, where the answer goes, and what is given: all three are needed to notice an impostor. */
export function consentPage(page: ConsentPage): string {
  const described = URL.canParse(page.clientId) ? new URL(page.clientId).host : undefined;
  return layout(
    'Allow access',
    html`<h1>Allow ${page.clientName}?</h1>
<p class="quiet">It wants to use your applications in your name, through ${page.resource}.</p>
<dl class="facts">
${described === undefined ? undefined : fact('Described by', described)}
${fact('Sends you to', targetName(page.target))}
${fact('Signed in as', page.email)}
</dl>
<h2>It will be able to</h2>
<ul class="list">${items(page.allowed)}</ul>
${page.later.length === 0 ? undefined : later(page.later)}
${note(page.target)}
<form method="post" action="/authorize" class="actions">
${hidden('csrf', page.csrf)}${hidden('request', page.query)}
<button class="button plain" name="decision" value="deny">Deny</button>
<button class="button" name="decision" value="allow">Allow</button>
</form>
${page.target.kind === 'app' ? afterwards : undefined}`,
  );
}

function fact(term: string, value: string): Html {
  return html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
}
function later(texts: readonly string[]): Html {
  return html`<h2>And, once your plan includes it</h2>
<ul class="list later">${items(texts)}</ul>`;
}
/** The browser stays on this page when it hands over to an app. */
const afterwards = html`<p class="quiet small after">Your browser may ask before it opens the app. After that you can close this page.</p>`;

function targetName(target: RedirectTarget): string {
  return target.kind === 'app' ? `the app that opens ${target.scheme}: links` : target.host;
}

/** Nobody vouches for a client's name: what the user can judge is where the answer goes. */
function note(target: RedirectTarget): Html {
  return html`<p class="note">${advice(target)}</p>`;
}

function advice(target: RedirectTarget): string {
  if (target.kind === 'app')
    return `The answer goes to the app that opens ${target.scheme}: links on this device. Allow it only if you have just asked that app to connect.`;
  return target.kind === 'loopback'
    ? 'The answer goes to a program on this computer. Allow it only if you have just started one yourself.'
    : 'Applications choose their own name. Allow it only if you know the address it sends you to.';
}

export interface AccountPage {
  readonly email: string;
  readonly plan: string;
  readonly plans: readonly { readonly name: string; readonly abilities: readonly string[] }[];
  readonly connections: readonly {
    readonly id: string;
    readonly clientName: string;
    readonly createdAt: number;
  }[];
  readonly csrf: string;
}

export function accountPage(page: AccountPage): string {
  const csrf = hidden('csrf', page.csrf);
  const plans = page.plans.map(({ name, abilities }) => {
    const isCurrent = name === page.plan;
    return html`<section class="plan${isCurrent ? ' current' : ''}">
<h3><span>${name}</span>${isCurrent ? html` <span>Your plan</span>` : undefined}</h3>
<ul class="list small">${items(abilities)}</ul>
${isCurrent ? undefined : html`<form method="post" action="/account/plan">${csrf}${hidden('plan', name)}<button class="button full">Switch to ${name}</button></form>`}
</section>`;
  });
  const connections = page.connections.map(
    ({ id, clientName, createdAt }) =>
      html`<li><span><strong>${clientName}</strong><br><span class="quiet small">since ${day(createdAt)}</span></span>
<form method="post" action="/account/disconnect">${csrf}${hidden('grant', id)}<button class="button plain slight" aria-label="Disconnect ${clientName}">Disconnect</button></form></li>`,
  );
  return layout(
    'Your account',
    html`<div class="top"><h1>Your account</h1>
<form method="post" action="/account/sign-out">${csrf}<button class="button plain slight">Sign out</button></form></div>
<p class="quiet">${page.email}</p>
<h2>Plan</h2>
<div class="plans">${plans}</div>
<p class="quiet small">A change reaches connected applications when they next renew their access.</p>
<h2>Connected applications</h2>
${connections.length === 0 ? html`<p class="quiet">None yet.</p>` : html`<ul class="rows">${connections}</ul>`}`,
    'wide',
  );
}

function day(secondsSinceEpoch: number): string {
  return new Date(secondsSinceEpoch * 1000).toISOString().slice(0, 10);
}

/** Something did not work, and what to do; `next` is where to do it. */
export function messagePage(
  title: string,
  text: string,
  next?: { readonly label: string; readonly path: '/sign-in' | '/account' },
): string {
  const link =
    next === undefined
      ? undefined
      : html`<p><a class="button plain" href="${next.path}">${next.label}</a></p>`;
  return layout(title, html`<h1>${title}</h1><p>${text}</p>${link}`);
}

/** An error for a client that nobody vouches for: people go there by their own click, never by an automatic redirect. */
export function oauthErrorPage(description: string, target: RedirectTarget, location: string): string {
  return layout(
    'This request cannot go on',
    html`<h1>This request cannot go on</h1><p>${description}</p>
<p><a class="button plain" href="${location}" rel="noreferrer">Back to ${targetName(target)}</a></p>`,
  );
}
