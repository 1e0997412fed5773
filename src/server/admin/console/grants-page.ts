import { type Html, html } from '#kernel/html.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { ago } from '../../pages/words.ts';
import { actForm, type ConsolePage, mayDo, type Viewer } from './console-page.ts';
import type { ConsoleSource, GrantHolder } from './console-source.ts';
import { objectsAt } from './objects-at.ts';
import { count, visible } from './shown.ts';

const holdersPerPage = 50;

/** Who has linked how many accounts, under the names of the audit. */
export async function grantsPage(
  source: ConsoleSource,
  viewer: Viewer,
  query: URLSearchParams,
): Promise<ConsolePage> {
  const page = Math.max(1, Math.min(Number(query.get('page')) || 1, 10_000));
  const { holders, total } = await source.holders((page - 1) * holdersPerPage, holdersPerPage);
  const link = (to: number, label: string) =>
    html`<a href="${viewer.base}grants?page=${String(to)}">${label}</a>`;
  return {
    title: 'Linked accounts',
    place: 'grants',
    parts: [
      {
        id: 'intro',
        content: () =>
          html`<p>${total === 0 ? 'Nobody has linked an account.' : `${count(total)} ${total === 1 ? 'user has' : 'users have'} linked accounts.`} <span class="quiet">Users stand here under the name that this month’s audit gives them. No token is ever shown.</span></p>`,
      },
      {
        id: 'holders',
        content: () =>
          html`${holders.length === 0 ? undefined : table(holders, viewer)}<p class="row">${page > 1 ? link(page - 1, 'Before') : undefined}${page * holdersPerPage < total ? link(page + 1, 'More') : undefined}</p>`,
      },
      ...(mayDo(viewer, 'reveal') && total > 0 ? [{ id: 'reveal', content: () => revealForm(viewer) }] : []),
    ],
  };
}

function table(holders: readonly GrantHolder[], { base, now }: Viewer): Html {
  const rows = holders.map(({ pseudonym, grants }) => {
    const dead = grants.filter(({ isDead }) => isDead).length;
    const used = Math.max(...grants.map(({ lastUsedAt }) => lastUsedAt ?? 0));
    return html`<tr><th scope="row"><a class="mono" href="${base}audit?user=${pseudonym}">${pseudonym}</a></th>
<td data-label="Grants">${String(grants.length)}</td>
<td data-label="Servers">${grants.map(({ server, isDead }) => html`<span class="chip${isDead ? ' removed' : ''}">${server}${isDead ? html`<span class="sr">, to be linked again</span>` : undefined}</span> `)}</td>
<td data-label="To link again">${dead === 0 ? html`<span class="quiet">none</span>` : html`<span class="badge bad">${String(dead)}</span>`}</td>
<td data-label="Last used">${used > 0 ? ago(used, now) : html`<span class="quiet">never</span>`}</td></tr>`;
  });
  return html`<div class="panel"><table class="cards"><thead><tr><th scope="col">User</th><th scope="col">Grants</th><th scope="col">Servers</th><th scope="col">To link again</th><th scope="col">Last used</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function revealForm(viewer: Viewer): Html {
  return html`<details class="panel"><summary>Show who they are…</summary><p>Names, and the accounts they have linked. That you looked is recorded.</p>${actForm(viewer, 'grants/reveal', {}, html`<button class="button">Show people</button>`)}</details>`;
}

/** The answer of the operation that lists people, once it is recorded. */
export function peoplePage(list: JsonObject, viewer: Viewer): ConsolePage {
  const users = objectsAt(list, 'users');
  const rows = users
    .slice(0, 1_000)
    .map(
      (user) =>
        html`<tr><th scope="row">${visible(stringAt(user, 'subject') ?? '', 100)}<span class="quiet small">${visible(stringAt(user, 'issuer') ?? '', 100)}</span></th><td data-label="Accounts"><ul class="accounts">${objectsAt(user, 'grants').map((grant) => html`<li>${stringAt(grant, 'server') ?? ''}: ${visible(stringAt(grant, 'account') ?? 'the provider did not say', 100)}${grant.isDead === true ? html` <span class="badge bad">to link again</span>` : undefined}</li>`)}</ul></td></tr>`,
    );
  return {
    title: 'Linked accounts: people',
    place: 'grants',
    parts: [
      {
        id: 'people',
        content: () =>
          html`<p class="quiet">That you looked is recorded under ${viewer.session.operator.name}. <a href="${viewer.base}grants">Back to the names of the audit</a></p><div class="panel"><table class="cards"><thead><tr><th scope="col">User</th><th scope="col">Accounts</th></tr></thead><tbody>${rows}</tbody></table></div>`,
      },
    ],
  };
}
