import { type Html, html } from '#kernel/html.ts';
import { layout } from './layout.ts';

export interface Message {
  readonly title: string;
  /** What happened and what to do, a paragraph each. */
  readonly text: readonly string[];
  readonly next?: { readonly label: string; readonly href: string } | undefined;
  /** It went well, and `next` is not needed. */
  readonly isDone?: boolean;
}

/** Something happened that people have to know, and what to do next. */
export function messagePage(gateway: string, message: Message): string {
  const [first = '', ...more] = message.text;
  const paragraphs: readonly Html[] = more.map((text) => html`<p>${text}</p>`);
  const { next, isDone = false } = message;
  return layout({
    title: message.title,
    gateway,
    content: html`${isDone ? done : undefined}<h1>${message.title}</h1>
<p>${first}</p>
${paragraphs}
${next === undefined ? undefined : html`<div class="actions"><a class="button${isDone ? ' plain' : ''}" href="${next.href}">${next.label}</a></div>`}`,
  });
}

const done = html`<div class="sign" aria-hidden="true"><svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><path d="M5 13l5 5L19 7"/></svg></div>
`;
