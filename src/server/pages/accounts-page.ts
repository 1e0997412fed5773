import { type Html, html } from '#kernel/html.ts';
import type { GrantSummary } from '#vault/grant.ts';
import { layout } from './layout.ts';
import { ago, day, shown } from './words.ts';

/** A server as people see it. */
export interface ShownServer {
  readonly id: string;
  readonly title: string;
  readonly grant: GrantSummary | undefined;
  /** Whether this person may link it, now. */
  readonly isOpen: boolean;
}

/** One of the caller's own calls, from the index of the audit. */
export interface RecentCall {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
  readonly tool: string | undefined;
  readonly backend: string | undefined;
  readonly outcome: string;
  readonly code: string;
  readonly ms: number;
}

export interface AccountsPage {
  readonly gateway: string;
  readonly name: string;
  readonly servers: readonly ShownServer[];
  /** Undefined: they cannot be read right now. */
  readonly calls: readonly RecentCall[] | undefined;
  readonly csrf: string;
  readonly now: number;
}

/** `/link`: each server with what is linked there, and the caller's own recent calls. */
export function accountsPage(page: AccountsPage): string {
  const csrf = html`<input type="hidden" name="csrf" value="${page.csrf}">`;
  return layout({
    title: 'Your accounts',
    gateway: page.gateway,
    width: 'wide',
    content: html`<div class="top"><h1>Your accounts</h1>
<form method="post" action="/sign-out">${csrf}<button class="button plain slight">Sign out</button></form></div>
<p class="quiet">Signed in as ${shown(page.name)}</p>
<section aria-labelledby="servers"><h2 id="servers">Servers</h2>
${page.servers.length === 0 ? nothingToLink : html`<ul class="servers">${page.servers.map((server) => serverItem(server, csrf, page.now))}</ul>`}</section>
<section aria-labelledby="calls"><h2 id="calls">Your recent calls</h2>
${callsPart(page)}</section>`,
  });
}

const nothingToLink = html`<p>There is no server here that needs an account of yours.</p>`;

function serverItem({ id, title, grant, isOpen }: ShownServer, csrf: Html, now: number): Html {
  const name = shown(title);
  return html`<li aria-labelledby="server-${id}"><div class="top"><h3 id="server-${id}">${name}</h3>${badge(grant)}</div>
${grant === undefined ? undefined : facts(grant, now)}
<div class="row">${isOpen ? linkForm(id, name, grant, csrf) : closed}${grant === undefined ? undefined : unlinkForm(id, name, csrf)}</div></li>`;
}

const closed = html`<span class="quiet">It is not open to you now.</span>`;

function badge(grant: GrantSummary | undefined): Html {
  if (grant === undefined) return html`<span class="badge">Not linked</span>`;
  if (grant.isDead) return html`<span class="badge bad">Link again</span>`;
  return html`<span class="badge good">Linked</span>`;
}

function facts(grant: GrantSummary, now: number): Html {
  const { account, linkedAt, lastUsedAt, scopes, isDead } = grant;
  return html`${isDead ? html`<p class="note">The provider no longer accepts this link. Your agents cannot use it until you link it again.</p>` : undefined}
<dl class="facts">
${fact('Account', account === undefined ? html`<span class="quiet">the provider did not say</span>` : html`${shown(account)}`)}
${fact('Linked since', day(linkedAt))}
${fact('Last used', lastUsedAt === undefined ? html`never` : ago(lastUsedAt, now))}
${fact('It may', html`${scopes.length === 0 ? 'what the provider allows by default' : shown(scopes.join(', '), 400)}`)}
</dl>`;
}

function fact(term: string, value: Html): Html {
  return html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
}

function linkForm(id: string, name: string, grant: GrantSummary | undefined, csrf: Html): Html {
  const isNeeded = grant === undefined || grant.isDead;
  const label = grant === undefined ? 'Link' : 'Link again';
  return html`<form method="post" action="/link/${id}">${csrf}<button class="button slight${isNeeded ? '' : ' plain'}" aria-label="${label}: ${name}">${label}</button></form>`;
}

/** Without a script the question whether it is meant is one that opens. */
function unlinkForm(id: string, name: string, csrf: Html): Html {
  return html`<details><summary aria-label="Unlink ${name}">Unlink…</summary>
<p>The gateway gives back its access at ${name} and forgets it. Your agents can no longer use it.</p>
<form method="post" action="/link/${id}/unlink">${csrf}<button class="button plain slight" aria-label="Yes, unlink ${name}">Yes, unlink</button></form></details>`;
}

function callsPart({ calls, now }: AccountsPage): Html {
  if (calls === undefined) return html`<p class="quiet">They cannot be shown right now.</p>`;
  if (calls.length === 0) return html`<p class="quiet">None yet.</p>`;
  const rows = calls.map(
    (call) => html`<tr><td class="main">${shown(call.tool ?? call.method)}</td><td>${ago(call.time, now)}</td>
<td class="${call.outcome === 'ok' || call.outcome === 'input_required' ? '' : 'bad'}">${outcomeOf(call)}</td><td class="number">${duration(call.ms)}</td></tr>`,
  );
  return html`<table><caption class="quiet small">What your agents did in your name, newest first</caption>
<thead><tr><th scope="col">Tool</th><th scope="col">When</th><th scope="col">Outcome</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function outcomeOf({ outcome, code }: RecentCall): string {
  if (outcome === 'ok') return 'done';
  if (outcome === 'input_required') return 'asked you';
  return `${shown(outcome)}: ${shown(code).replaceAll('_', ' ')}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
