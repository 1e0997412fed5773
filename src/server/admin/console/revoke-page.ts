import { type Html, html } from '#kernel/html.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { actForm, type ConsolePage, mayDo, type Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { duration, visible } from './shown.ts';

const kinds = [
  ['subject', 'A user: the subject of the tokens'],
  ['session', 'A session: the sid of the tokens'],
  ['client', 'A client: its client id'],
  ['token', 'One token: its jti'],
  ['grant', 'A grant of the issuer'],
  ['pseudonym', 'A user, by the name of the audit'],
  ['issuer', 'Everybody of a whole issuer'],
] as const;

/** What is asked for, as the form and the operation have it. */
export type Revoking = Readonly<Record<'kind' | 'value' | 'issuer', string>>;

/** The form; with `problem`, what was wrong with the last try. */
export function revokePage(
  source: ConsoleSource,
  viewer: Viewer,
  asked?: Revoking,
  problem?: string,
): ConsolePage {
  return {
    title: 'Revocation',
    place: 'revoke',
    ...(problem === undefined ? {} : { status: 409 }),
    parts: [
      {
        id: 'form',
        content:
          () => html`${problem === undefined ? undefined : html`<p class="troubles" role="alert">${problem}</p>`}<p>Refuses tokens that are still good, on every replica, and ends what is in use. Tokens issued later are good again, so whoever may still sign in can.</p>
${mayDo(viewer, 'operate') ? form(source, viewer, asked) : html`<p class="panel">Your token may look, and revoke nothing: that takes the role <code>operate</code>.</p>`}`,
      },
    ],
  };
}

function form(source: ConsoleSource, viewer: Viewer, asked: Revoking | undefined): Html {
  const issuers = source.issuers();
  const option = (value: string, label: string, chosen: string | undefined) =>
    html`<option value="${value}"${value === chosen ? html` selected` : undefined}>${label}</option>`;
  return html`<div class="panel">${actForm(
    viewer,
    'revoke/check',
    {},
    html`<div class="fields"><label>What<select name="kind">${kinds.map(([kind, label]) => option(kind, label, asked?.kind))}</select></label>
<label>Its value, as the tokens have it<input name="value" value="${asked?.value ?? ''}" autocomplete="off" spellcheck="false"></label>
<label>Issuer<select name="issuer">${issuers.map((issuer) => option(issuer, issuer, asked?.issuer))}</select></label></div>
<button class="button">Look at it first</button>`,
  )}</div>`;
}

/** Says it back before it is done. */
export function confirmPage(viewer: Viewer, asked: Revoking): ConsolePage {
  return {
    title: 'Revoke this?',
    place: 'revoke',
    parts: [
      {
        id: 'confirm',
        content:
          () => html`<dl class="facts panel"><div><dt>What</dt><dd>${kinds.find(([kind]) => kind === asked.kind)?.[1] ?? visible(asked.kind)}</dd></div>
${asked.kind === 'issuer' ? undefined : html`<div><dt>Value</dt><dd class="mono">${visible(asked.value, 1_000)}</dd></div>`}${asked.kind === 'pseudonym' ? undefined : html`<div><dt>Issuer</dt><dd>${visible(asked.issuer)}</dd></div>`}<div><dt>Tokens</dt><dd>${asked.kind === 'token' ? 'this one' : 'every one issued until now'}</dd></div></dl>
${asked.kind === 'issuer' ? html`<p class="troubles">Everybody of this issuer is signed out.</p>` : undefined}
<div class="row">${actForm(viewer, 'revoke', asked, html`<button class="button danger">Revoke</button>`)}<a href="${viewer.base}revoke">Cancel</a></div>`,
      },
    ],
  };
}

/** The operation's own answer. */
export function revokedPage(viewer: Viewer, asked: Revoking, outcome: JsonObject): ConsolePage {
  const { replicas, ms, closed } = outcome;
  const ended = isJsonObject(closed) ? closed : {};
  return {
    title: 'Revoked',
    place: 'revoke',
    parts: [
      {
        id: 'outcome',
        content:
          () => html`<dl class="facts panel"><div><dt>What</dt><dd>${visible(asked.kind)} <span class="mono">${visible(asked.value, 1_000)}</span></dd></div>
<div><dt>Confirmed by</dt><dd>${String(replicas)} ${replicas === 1 ? 'replica' : 'replicas'} in ${duration(typeof ms === 'number' ? ms : undefined)}</dd></div>
<div><dt>Ended</dt><dd>${String(ended.streams ?? 0)} streams, ${String(ended.calls ?? 0)} calls</dd></div></dl><p><a href="${viewer.base}revoke">Revoke something else</a></p>`,
      },
    ],
  };
}
