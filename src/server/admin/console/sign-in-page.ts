import { html } from '#kernel/html.ts';
import type { DoorRefusal } from '../admin-door.ts';
import { drawDoor } from './console-page.ts';

/** Why there is this page and not another. */
export type WhySignIn = DoorRefusal['reason'] | 'ended';

const problems: Readonly<Record<WhySignIn, string>> = {
  ended: 'Your session has ended, or this address belongs to another one. Sign in to go on.',
  unauthorized: 'This is no token that counts. Nothing is signed in.',
  rate_limited: 'Too many wrong tokens came from your network. Wait a minute: until then none is looked at.',
  not_recordable: 'The audit cannot be written, and nobody is let in unrecorded.',
};

/** Trades a token for a session; the same for everybody, whatever there is behind it. */
export function signInPage(gateway: string, next: string, problem: WhySignIn | undefined): string {
  const isError = problem !== undefined && problem !== 'ended';
  return drawDoor(
    'Sign in',
    gateway,
    html`<h1>Operator console</h1>
${problem === undefined ? undefined : html`<p class="${isError ? 'troubles' : 'note'}" role="${isError ? 'alert' : 'status'}" id="problem">${problems[problem]}</p>`}
<form method="post" action="/console/sign-in"><input type="hidden" name="next" value="${next}">
<label>Admin token<input type="password" name="token" required autocomplete="off" spellcheck="false"${isError ? html` aria-invalid="true" aria-describedby="problem"` : undefined}></label>
<button class="button">Sign in</button></form>
<p class="quiet small">One of <code>admin.tokens</code>. It is traded for a session of eight hours, and kept in no browser.</p>`,
    html` data-door="${problem === 'ended' ? 'ended' : isError ? 'shut' : 'open'}"`,
  );
}
