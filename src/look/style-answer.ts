import { styleSheet } from './style-sheet.ts';

/** Where every server of ours has it: two of them may share an origin, and then either may answer. */
export const styleSheetPath = '/style.css';

export function styleAnswer(): Response {
  return new Response(styleSheet, {
    headers: {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=300',
      'x-content-type-options': 'nosniff',
    },
  });
}
