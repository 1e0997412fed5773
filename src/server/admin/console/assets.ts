import { script } from './script.ts';
import { styleSheet } from './style-sheet.ts';

const folder = '/console/assets/';
export const styleSheetPath = `${folder}console.css`;
export const scriptPath = `${folder}console.js`;

/** The two files of every page, which say nothing of this gateway; undefined: there is no such file. */
export function assetAt(path: string): Response | undefined {
  if (path === styleSheetPath) return asset(styleSheet, 'text/css');
  return path === scriptPath ? asset(script, 'text/javascript') : undefined;
}

function asset(text: string, type: string): Response {
  return new Response(text, {
    headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' },
  });
}
