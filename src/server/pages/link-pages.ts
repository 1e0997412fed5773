import { type Html, html } from '#kernel/html.ts';
import { layout } from './layout.ts';
import { shown } from './words.ts';

const hidden = (name: string, value: string | undefined) =>
  value === undefined ? undefined : html`<input type="hidden" name="${name}" value="${value}">`;

function fact(term: string, value: string): Html {
  return html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
}

/** Before anything begins: which server, and whose link it will be. Opening it changes nothing: previews do that too. */
export function beginPage(page: {
  readonly gateway: string;
  readonly server: { readonly id: string; readonly title: string };
  /** Undefined: it is the catalog's own credential. */
  readonly name: string | undefined;
  readonly ticket: string | undefined;
  readonly csrf: string;
  readonly isLinked: boolean;
}): string {
  const title = shown(page.server.title);
  return layout({
    title: `Link ${title}`,
    gateway: page.gateway,
    content: html`<h1>Link ${title}</h1>
<p>${page.name === undefined ? catalogText(title) : html`Your agents will use ${title} with your own account there, in your name alone.`}</p>
<dl class="facts">
${fact('Server', title)}
${fact('For', page.name === undefined ? 'the catalog' : shown(page.name))}
</dl>
${page.isLinked ? html`<p class="note">It is linked already. Going on replaces that link.</p>` : undefined}
<form method="post" action="/link/${page.server.id}" class="actions">
${hidden('csrf', page.csrf)}${hidden('ticket', page.ticket)}
<a class="button plain" href="/link">Not now</a>
<button class="button">Go to ${title}</button>
</form>`,
  });
}

function catalogText(title: string): Html {
  return html`What the gateway knows of ${title} will be read with this account. No call of a user is made with it.`;
}

/** The provider has answered; nothing is stored before the person has seen whose account it is. */
export function confirmPage(page: {
  readonly gateway: string;
  readonly server: { readonly id: string; readonly title: string };
  readonly name: string | undefined;
  readonly account: string | undefined;
  readonly provider: string;
  readonly scopes: readonly string[];
  readonly flow: string;
  readonly csrf: string;
}): string {
  const title = shown(page.server.title);
  const { account } = page;
  return layout({
    title: `Link this account?`,
    gateway: page.gateway,
    content: html`<h1>Link this account?</h1>
<p>${title} has answered. Nothing is stored before you say yes.</p>
<dl class="facts">
${fact('Server', title)}
${fact('Account', account === undefined ? 'the provider did not say' : shown(account))}
${fact('Granted by', shown(page.provider))}
${fact('It may', page.scopes.length === 0 ? 'what the provider allows by default' : shown(page.scopes.join(', '), 400))}
${fact('For', page.name === undefined ? 'the catalog' : shown(page.name))}
</dl>
<p class="note">Is it the account you want? If somebody else is signed in there, go back and sign in as yourself first.</p>
<form method="post" action="/link/${page.server.id}/finish" class="actions">
${hidden('csrf', page.csrf)}${hidden('flow', page.flow)}
<a class="button plain" href="/link">Do not link</a>
<button class="button">Link it</button>
</form>`,
  });
}
