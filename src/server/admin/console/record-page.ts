import type { RecentRecord } from '#audit/recent-records.ts';
import type { PassedGate } from '#kernel/call-path.ts';
import { type Html, html } from '#kernel/html.ts';
import { type JsonValue, stringAt } from '#kernel/json.ts';
import { outcomeBadge } from './audit-page.ts';
import { timeBar } from './charts.ts';
import { actForm, type ConsolePage, mayDo, type Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { clockTime, duration, visible } from './shown.ts';

/** What stands behind the name of each gate. */
const meanings: Readonly<Record<string, string>> = {
  token: 'The token is good: signature, issuer, audience, time, not revoked',
  allowance: 'Within the calls a minute of this caller',
  body: 'The body was read and is JSON-RPC',
  envelope: 'Revision and client are known',
  session: 'The session is this caller’s',
  audit: 'The audit can write the record',
  catalog: 'The tool is listed, and not quarantined',
  scopes: 'The caller holds every scope of the tool',
  'allowance of the tool': 'Within the calls a minute of this tool',
  identity: 'The identity for the backend was found or made',
  breaker: 'The breaker lets calls through',
  connection: 'A place among the connections was free',
  backend: 'The backend has answered',
};

/** Somebody's name, after it was asked for and recorded. */
export interface Revealed {
  readonly issuer: string;
  readonly subject: string;
}

/** One record; of a call also its way through the gates. Undefined: it is not among the newest. */
export function recordPage(
  source: ConsoleSource,
  viewer: Viewer,
  seq: string,
  revealed?: Revealed,
): ConsolePage | undefined {
  const record = /^\d{1,15}$/.test(seq) ? source.records.find(Number(seq)) : undefined;
  if (record === undefined) return undefined;
  const { kind, fields } = record;
  const what = kind === 'call' ? (stringAt(fields, 'tool') ?? stringAt(fields, 'method') ?? '') : kind;
  return {
    title: `Record ${record.seq}`,
    place: 'audit',
    parts: [
      {
        id: 'record',
        content: () =>
          html`<p class="lead">${visible(what, 120)} at ${clockTime(record.time)} UTC ${outcomeBadge(stringAt(fields, 'outcome'), stringAt(fields, 'code'))}</p>`,
      },
      ...(kind === 'call' ? [{ id: 'path', content: () => pathPart(record) }] : []),
      { id: 'person', content: () => personPart(record, viewer, revealed) },
      {
        id: 'fields',
        content: () =>
          html`<h2>The record</h2><dl class="facts panel">${Object.entries(fields).flatMap(([name, value]) => (value === undefined || !mayRead(record, name, viewer) ? [] : [html`<div><dt>${name}</dt><dd>${fieldText(value)}</dd></div>`]))}</dl>`,
      },
    ],
  };
}

/** Whoever says why a person was looked at may well name that person. */
function mayRead({ kind }: RecentRecord, field: string, viewer: Viewer): boolean {
  return kind !== 'reveal' || field !== 'reason' || mayDo(viewer, 'reveal');
}

function fieldText(value: JsonValue): Html {
  return visible(typeof value === 'string' ? value : JSON.stringify(value), 1_000);
}

function pathPart({ fields, path }: RecentRecord): Html {
  if (path === undefined || path.length === 0)
    return html`<h2>Its way</h2><p class="quiet panel">This call was answered before its first gate.</p>`;
  const took = fields.ms;
  const last = path.at(-1)?.ms ?? 0;
  const whole = typeof took === 'number' ? Math.max(last, took) : last;
  const outcome = stringAt(fields, 'outcome') ?? '';
  const isStopped = outcome === 'refused' || outcome === 'cancelled';
  return html`<h2>Its way</h2><div class="panel"><table class="path"><thead><tr><th scope="col">Gate</th><th scope="col">What it means</th><th scope="col" class="wide">Time</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${path.map((gate, index) => gateRow(gate, path[index - 1]?.ms ?? 0, whole))}
<tr class="end"><th scope="row">${outcomeBadge(outcome, stringAt(fields, 'code'))}</th><td>${isStopped ? 'Here it ended: the next gate said no' : 'Answered'}</td><td class="wide">${timeBar(last, whole, whole)}</td><td class="number">${duration(whole)} in all</td></tr></tbody></table></div>`;
}

function gateRow({ gate, ms }: PassedGate, before: number, whole: number): Html {
  return html`<tr><th scope="row"><span class="passed" aria-hidden="true">✓</span> ${gate}</th><td>${meanings[gate] ?? ''}</td><td class="wide">${timeBar(before, ms, whole)}</td><td class="number">${duration(ms - before)}</td></tr>`;
}

function personPart({ seq, fields }: RecentRecord, viewer: Viewer, revealed: Revealed | undefined): Html {
  const user = stringAt(fields, 'user');
  if (user === undefined) return html``;
  if (revealed !== undefined)
    return html`<h2>Who it was</h2><dl class="facts panel"><div><dt>Subject</dt><dd>${visible(revealed.subject)}</dd></div><div><dt>Issuer</dt><dd>${visible(revealed.issuer)}</dd></div></dl><p class="quiet small">That you asked is recorded, with your reason.</p>`;
  const reveal = mayDo(viewer, 'reveal') ? revealForm(seq, user, viewer) : undefined;
  const cut = mayDo(viewer, 'operate') ? cutOffForm(user, viewer) : undefined;
  return html`${reveal}${cut}`;
}

/** Whoever cuts somebody off need not know who it is. */
function cutOffForm(user: string, viewer: Viewer): Html {
  return html`<div class="row">${actForm(viewer, 'revoke/check', { kind: 'pseudonym', value: user }, html`<button class="button plain">Revoke this user’s tokens…</button>`)}</div>`;
}

function revealForm(seq: number, user: string, viewer: Viewer): Html {
  return html`<details class="panel"><summary>Who was it?</summary>${actForm(viewer, `audit/${seq}/reveal`, { user }, html`<label>Reason, which is recorded<input name="reason" required maxlength="500" autocomplete="off"></label><button class="button">Show the person</button>`)}</details>`;
}
