import type { RecentRecord } from '#audit/recent-records.ts';
import { type Html, html } from '#kernel/html.ts';
import { stringAt } from '#kernel/json.ts';
import type { ConsolePage, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { clockTime, duration, visible } from './shown.ts';

const recordsShown = 60;
const outcomes = ['ok', 'error', 'refused', 'cancelled', 'input_required'] as const;
const kinds = ['call', 'admin', 'link', 'reveal'] as const;

/** The newest records, as they are written; what the filter of the address wants of them. */
export function auditPage(source: ConsoleSource, viewer: Viewer, query: URLSearchParams): ConsolePage {
  const wanted = (name: string) => query.get(name)?.trim() ?? '';
  const filter = Object.fromEntries(
    ['kind', 'tool', 'backend', 'outcome', 'user', 'agent'].map((name) => [name, wanted(name)]),
  );
  const records = source.records.newest(recordsShown, (record) => isWanted(record, filter));
  const isFiltered = Object.values(filter).some((value) => value !== '');
  return {
    title: 'Audit',
    place: 'audit',
    parts: [
      { id: 'filter', content: () => filterForm(source, viewer, filter) },
      {
        id: 'records',
        isLive: true,
        content: () =>
          html`${recordTable(records, viewer)}${records.length > 0 ? undefined : html`<p class="quiet">${isFiltered ? 'Nothing of the newest records is like this.' : 'Nothing yet.'}</p>`}`,
      },
      {
        id: 'older',
        content: () =>
          html`<p class="quiet small">The newest records of this process. Everything older: <code>cortex audit tail --since 1d</code></p>`,
      },
    ],
  };
}

function isWanted({ kind, fields }: RecentRecord, filter: Readonly<Record<string, string>>): boolean {
  if (filter.kind !== '' && filter.kind !== kind) return false;
  for (const name of ['tool', 'agent']) {
    const part = filter[name] ?? '';
    if (part !== '' && stringAt(fields, name)?.includes(part) !== true) return false;
  }
  return ['backend', 'outcome', 'user'].every((name) => filter[name] === '' || fields[name] === filter[name]);
}

function filterForm(source: ConsoleSource, { base }: Viewer, filter: Readonly<Record<string, string>>): Html {
  const choice = (name: string, label: string, values: readonly string[]) =>
    html`<label>${label}<select name="${name}"><option value="">all</option>${values.map((value) => html`<option${value === filter[name] ? selected : undefined}>${value}</option>`)}</select></label>`;
  const text = (name: string, label: string) =>
    html`<label>${label}<input name="${name}" value="${filter[name] ?? ''}" autocomplete="off" spellcheck="false"></label>`;
  return html`<form class="filter panel" method="get" action="${base}audit">${choice('kind', 'Kind', kinds)}${choice('outcome', 'Outcome', outcomes)}${choice('backend', 'Backend', [...source.states().keys()])}${text('tool', 'Tool')}${text('user', 'User')}${text('agent', 'Agent')}<div class="row"><button class="button">Filter</button><a href="${base}audit">Clear</a></div></form>`;
}

const selected = html` selected`;

export function recordTable(records: readonly RecentRecord[], viewer: Viewer): Html {
  if (records.length === 0) return html``;
  return html`<div class="panel"><table class="records"><thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col">Outcome</th><th scope="col">Backend</th><th scope="col">User</th><th scope="col">Agent</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${records.map((record) => recordRow(record, viewer))}</tbody></table></div>`;
}

function recordRow({ kind, seq, time, fields }: RecentRecord, { base }: Viewer): Html {
  const text = (key: string) => stringAt(fields, key);
  const act = kind === 'admin' ? (text('action') ?? kind) : `${kind} ${text('action') ?? ''}`;
  const what = kind === 'call' ? (text('tool') ?? text('method') ?? '-') : act;
  const { ms } = fields;
  const user = text('user');
  const who =
    user === undefined
      ? html`${text('actor') ?? '-'}`
      : html`<a class="mono" href="${base}audit?user=${user}">${user.slice(0, 8)}</a>`;
  return html`<tr><th scope="row"><a href="${base}audit/${String(seq)}">${clockTime(time)}</a></th>
<td class="what" data-label="What">${visible(what, 80)}</td>
<td class="outcome" data-label="Outcome">${outcomeBadge(text('outcome'), text('code'))}</td>
<td class="from" data-label="Backend">${visible(text('backend') ?? '-', 40)}</td>
<td class="user" data-label="User">${who}</td>
<td class="agent" data-label="Agent">${visible(text('agent') ?? '-', 40)}</td>
<td data-label="Took" class="number">${typeof ms === 'number' ? duration(ms) : '-'}</td></tr>`;
}

export function outcomeBadge(outcome: string | undefined, code: string | undefined): Html {
  if (outcome === undefined) return html`<span class="quiet">-</span>`;
  const tone = outcome === 'ok' ? 'good' : outcome === 'error' ? 'bad' : 'warn';
  const why =
    code === undefined || code === 'ok'
      ? undefined
      : html`<span class="small why">${visible(code, 60)}</span>`;
  return html`<span class="badge ${tone}">${visible(outcome.replaceAll('_', ' '), 30)}</span>${why}`;
}
