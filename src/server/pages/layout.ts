import type { Html } from '#kernel/html.ts';
import { frame } from '#look/frame.ts';

/** The frame of the pages about accounts. */
export function layout(page: {
  readonly title: string;
  /** What the gateway calls itself. */
  readonly gateway: string;
  readonly content: Html;
  readonly width?: 'narrow' | 'wide';
}): string {
  return frame({
    ...page,
    site: page.gateway,
    siteName: page.gateway,
    footer: 'Your agents use these accounts in your name alone.',
  });
}
