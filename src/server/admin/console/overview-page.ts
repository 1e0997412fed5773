import type { BackendState } from '#catalog/snapshot.ts';
import { type Html, html } from '#kernel/html.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { BackendHour } from '#observability/backend-series.ts';
import { ago } from '../../pages/words.ts';
import { callBars, latencyLine } from './charts.ts';
import { actForm, type ConsolePage, mayDo, type Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { count, duration, share, visible } from './shown.ts';

/** How everything is, at a glance. */
export function overviewPage(source: ConsoleSource, viewer: Viewer, query: URLSearchParams): ConsolePage {
  return {
    title: 'Overview',
    place: '',
    parts: [
      { id: 'troubles', isLive: true, content: () => troubles(source) },
      { id: 'tiles', isLive: true, content: () => tiles(source, viewer) },
      {
        id: 'actions',
        content: () =>
          html`<div class="bar"><h2>Backends and servers</h2>${mayDo(viewer, 'operate') ? actForm(viewer, 'poll', {}, html`<button class="button plain">Poll all now</button>`) : undefined}</div>`,
      },
      { id: 'backends', isLive: true, content: () => table(source, viewer, query) },
      {
        id: 'about',
        isLive: true,
        content: () =>
          html`<p class="quiet small">Version ${source.version}, started ${ago(source.startedAt, viewer.now)}. Figures are of the last hour, and of this process.</p>`,
      },
    ],
  };
}

/** What an operator must not overlook, in words. */
function troubles(source: ConsoleSource): Html {
  const found: string[] = [];
  if (!source.isReady()) found.push('The gateway is stopping: it takes no new calls.');
  if (!source.mayRecord()) found.push('The audit cannot be written. Nobody can act here until it can.');
  const { lost, anchors } = source.auditStatus();
  if (lost > 0) found.push(`${count(lost)} audit records did not fit into memory and are lost.`);
  if (anchors.some(({ failingSince }) => failingSince !== undefined))
    found.push('Checkpoints of the audit do not reach the place where they are kept.');
  for (const issuer of source.lostFeeds())
    found.push(`The revocation feed of ${issuer} is lost: what it revokes is not heard of.`);
  const { problem } = source.integrity();
  if (typeof problem === 'string')
    found.push(`The baseline of definitions is not to be believed: ${problem}.`);
  if (found.length === 0) return html``;
  return html`<ul class="troubles">${found.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function tiles(source: ConsoleSource, viewer: Viewer): Html {
  const total = source.series.total();
  const states = [...source.states().values()];
  const well = states.filter(({ status }) => status === 'fresh').length;
  const { open, mode } = source.integrity();
  const waiting = typeof open === 'number' ? open : 0;
  const snapshot = source.snapshot();
  const { seq, unanchored } = source.auditStatus();
  const { base } = viewer;
  return html`<ul class="tiles">
${tile('Calls in the last hour', count(total.calls), callBars(total.minutes, 'All backends', 40), 'broad')}
${tile('Failed', share(total.errors, total.calls), html`<span class="quiet">${count(total.errors)} of ${count(total.calls)}</span>`, total.errors > 0 ? 'warn' : '')}
${tile('Latency', duration(total.p50), html`<span class="quiet">95 of 100 within ${duration(total.p95)}</span>`)}
${tile('Backends', `${well} of ${states.length}`, html`<span class="quiet">answered their last poll</span>`, well < states.length ? 'bad' : '')}
${tile('Catalog', count(snapshot.tools.size), html`<a href="${base}catalog">tools, generation ${String(snapshot.generation)}</a>`)}
${tile('Waiting for approval', mode === 'off' ? 'off' : String(waiting), html`<a href="${base}quarantine">quarantine</a>`, waiting > 0 ? 'warn' : '')}
${tile('Audit record', count(seq), html`<a href="${base}audit">${count(unanchored)} not signed yet</a>`)}
</ul>`;
}

function tile(label: string, value: string, below: Html, tone = ''): Html {
  return html`<li class="tile ${tone}"><p class="label">${label}</p><p class="value">${value}</p><div class="below">${below}</div></li>`;
}

/** Of many, those in trouble come first. */
function table(source: ConsoleSource, viewer: Viewer, query: URLSearchParams): Html {
  const all = [...source.states().values()];
  if (all.length === 0) return html`<p class="quiet panel">No backend is configured.</p>`;
  const isMany = all.length > backendsPerPage;
  const states = isMany ? all.toSorted((one, other) => rank[one.status] - rank[other.status]) : all;
  const page = Math.max(1, Math.min(Number(query.get('page')) || 1, Math.ceil(all.length / backendsPerPage)));
  const shown = states.slice((page - 1) * backendsPerPage, page * backendsPerPage);
  const link = (to: number, label: string) => html`<a href="${viewer.base}?page=${String(to)}">${label}</a>`;
  return html`<div class="panel"><table class="cards"><thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Breaker</th><th scope="col">Latency</th><th scope="col">Calls and errors</th><th scope="col">Last poll</th><th scope="col">Last change</th></tr></thead>
<tbody>${shown.map((state) => row(source, viewer, state))}</tbody></table></div>
${isMany ? html`<p class="row">${page > 1 ? link(page - 1, 'Before') : undefined}<span class="quiet">${String(shown.length)} of ${String(all.length)}, those in trouble first</span>${page * backendsPerPage < all.length ? link(page + 1, 'More') : undefined}</p>` : undefined}`;
}

const backendsPerPage = 50;
const rank = { gone: 0, stale: 1, fresh: 2 } as const;

function row(source: ConsoleSource, { base, now }: Viewer, state: BackendState): Html {
  const { id } = state;
  const about = source.backend(id);
  const hour = source.series.hour(id);
  const change = source.history.lastOf(id);
  return html`<tr><th scope="row"><a class="name" href="${base}backends/${id}">${id}</a><span class="quiet small about">${about === undefined ? '' : `${about.kind}, ${about.identity}`}</span></th>
<td data-label="State">${stateBadge(state)}</td>
<td data-label="Breaker">${breakerBadge(source, id)}</td>
<td data-label="Latency"><div class="figure">${latencyLine(hour.minutes, id)}<span>${duration(hour.p50)}<span class="quiet small"> / ${duration(hour.p95)}</span></span></div></td>
<td data-label="Calls and errors"><div class="figure">${callBars(hour.minutes, id)}<span>${count(hour.calls)}${hour.errors === 0 ? undefined : html` <span class="bad">${count(hour.errors)}</span>`}</span></div></td>
<td data-label="Last poll">${pollText(hour, now)}</td>
<td data-label="Last change">${change === undefined ? html`<span class="quiet">none seen</span>` : ago(change.at, now)}</td></tr>`;
}

export function stateBadge({ status, lastError }: BackendState): Html {
  const [tone, word] = badges[status];
  const why =
    lastError === undefined ? undefined : html`<span class="small why">${visible(lastError, 120)}</span>`;
  return html`<span class="badge ${tone}">${word}</span>${why}`;
}

const badges = {
  fresh: ['good', 'answers'],
  stale: ['warn', 'silent, still shown'],
  gone: ['bad', 'not shown'],
} as const;

export function breakerBadge(source: ConsoleSource, id: BackendId): Html {
  const health = source.backend(id)?.health;
  if (health === undefined) return html`<span class="quiet">-</span>`;
  const { breaker, inFlight } = health;
  const tone = breaker === 'closed' ? 'good' : breaker === 'open' ? 'bad' : 'warn';
  return html`<span class="badge ${tone}">${breaker.replace('_', ' ')}</span><span class="quiet small why">${String(inFlight)} in flight</span>`;
}

export function pollText({ lastPoll }: BackendHour, now: number): Html {
  if (lastPoll === undefined) return html`<span class="quiet">not yet</span>`;
  const { at, ms, isGood } = lastPoll;
  return html`${ago(at, now)}<span class="small why took-for ${isGood ? 'quiet' : 'bad'}">${isGood ? 'took' : 'failed after'} ${duration(ms)}</span>`;
}
