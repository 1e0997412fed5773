import { type Html, html } from './html.ts';
import { layout } from './layout.ts';

export interface Message {
  readonly title: string;
  /** What happened and what to do, a paragraph each. */
  readonly text: readonly string[];
  readonly next?: { readonly label: string; readonly href: string } | undefined;
}

/** Something happened that people have to know, and what to do next. */
export function messagePage(gateway: string, message: Message): string {
  const [first = '', ...more] = message.text;
  const paragraphs: readonly Html[] = more.map((text) => html`<p>${text}</p>`);
  const { next } = message;
  return layout({
    title: message.title,
    gateway,
    content: html`<h1>${message.title}</h1>
<p>${first}</p>
${paragraphs}
${next === undefined ? undefined : html`<div class="actions"><a class="button" href="${next.href}">${next.label}</a></div>`}`,
  });
}
