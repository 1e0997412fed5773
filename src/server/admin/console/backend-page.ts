import type { CatalogChange } from '#catalog/change-history.ts';
import { type Html, html } from '#kernel/html.ts';
import { isBackendId } from '#kernel/ids.ts';
import { ago } from '../../pages/words.ts';
import { recordTable } from './audit-page.ts';
import { callBars, latencyLine } from './charts.ts';
import type { ConsolePage, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { breakerBadge, pollText, stateBadge } from './overview-page.ts';
import { count, duration, share, visible } from './shown.ts';

const recordsShown = 15;

/** One backend or server; undefined: there is none of that name. */
export function backendPage(source: ConsoleSource, viewer: Viewer, id: string): ConsolePage | undefined {
  const state = isBackendId(id) ? source.states().get(id) : undefined;
  if (state === undefined) return undefined;
  const about = source.backend(state.id);
  const hour = source.series.hour(id);
  const tools = [...source.snapshot().tools.values()].filter(({ backend }) => backend === id).length;
  const facts: readonly (readonly [string, Html])[] = [
    ['State', stateBadge(state)],
    ['Breaker', breakerBadge(source, state.id)],
    ['Last poll', pollText(hour, viewer.now)],
    ['Last good poll', state.lastGoodAt === undefined ? html`never` : ago(state.lastGoodAt, viewer.now)],
    ['Identity', html`${about?.identity ?? '-'}`],
    ['Where', html`${about?.place ?? '-'}`],
    ['Tools', html`<a href="${viewer.base}catalog?backend=${id}">${count(tools)}</a>`],
  ];
  const recent = source.records.newest(recordsShown, ({ fields }) => fields.backend === id);
  const changes = source.history.all().filter(({ backend }) => backend === id);
  return {
    title: id,
    place: '',
    parts: [
      {
        id: 'facts',
        isLive: true,
        content: () =>
          html`<dl class="facts panel">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`,
      },
      {
        id: 'charts',
        isLive: true,
        content:
          () => html`<div class="pair"><figure class="panel"><figcaption><h2>Latency</h2><span class="quiet">median ${duration(hour.p50)}, 95 of 100 within ${duration(hour.p95)}</span></figcaption>${latencyLine(hour.minutes, id, 90)}${axis}</figure>
<figure class="panel"><figcaption><h2>Calls and errors</h2><span class="quiet">${count(hour.calls)}, of which ${count(hour.errors)} failed (${share(hour.errors, hour.calls)})</span></figcaption>${callBars(hour.minutes, id, 90)}${axis}</figure></div>`,
      },
      {
        id: 'calls',
        isLive: true,
        content: () => html`<h2>Latest calls</h2>${recordTable(recent, viewer)}`,
      },
      {
        id: 'changes',
        isLive: true,
        content: () => html`<h2>Changes of its catalog</h2>${changeList(changes, viewer)}`,
      },
    ],
  };
}

const axis = html`<p class="axis quiet small"><span>an hour ago</span><span>now</span></p>`;

/** What came, went and changed, newest first. */
export function changeList(changes: readonly CatalogChange[], { now }: Viewer): Html {
  if (changes.length === 0) return html`<p class="quiet panel">None since the gateway began.</p>`;
  const rows = changes.slice(0, 50).map(
    ({
      at,
      backend,
      added,
      removed,
      changed,
      count: all,
      status,
    }) => html`<li><p><strong>${backend}</strong> ${ago(at, now)}${status === undefined ? undefined : html` <span class="quiet">${statusWords[status]}</span>`}</p>
<p>${names('added', added)}${names('removed', removed)}${names('changed', changed)}${added.length + removed.length + changed.length < all ? html`<span class="quiet">and more, ${String(all)} in all</span>` : undefined}</p></li>`,
  );
  return html`<ol class="panel changes">${rows}</ol>`;
}

const statusWords = {
  fresh: 'answers',
  stale: 'does not answer, and is still shown',
  gone: 'is not shown any more',
} as const;

function names(kind: 'added' | 'removed' | 'changed', all: readonly string[]): Html {
  const sign = { added: '+', removed: '−', changed: '~' }[kind];
  return html`${all.map((name) => html`<span class="chip ${kind}"><span aria-hidden="true">${sign}</span> <span class="sr">${kind} </span>${visible(name, 80)}</span> `)}`;
}
