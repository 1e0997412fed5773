import { type Html, html } from '#kernel/html.ts';
import { frame } from '#look/frame.ts';

/** The frame of the authorization server's pages. */
export function layout(title: string, content: Html, width: 'narrow' | 'wide' = 'narrow'): string {
  return frame({
    title,
    site: html`Cortex <span class="quiet">demo</span>`,
    siteName: 'Cortex demo',
    content,
    width,
    footer: 'A demo authorization server. Do not enter real secrets.',
  });
}
