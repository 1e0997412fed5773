import { type Html, html } from '#kernel/html.ts';
import { holdsAll } from '#kernel/principal.ts';
import type { ConsolePage, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { bytes, visible } from './shown.ts';
import { wireSize } from './wire-sizes.ts';

const longest = 20_000;

/** One tool as agents get it, and who does. Undefined: nothing of that name is listed. */
export function toolPage(
  source: ConsoleSource,
  viewer: Viewer,
  query: URLSearchParams,
): ConsolePage | undefined {
  const name = query.get('name') ?? '';
  const tool = source.snapshot().tools.get(name);
  if (tool === undefined) return undefined;
  const { definition, backend } = tool;
  const plans = [...source.plans()].map(([plan, scopes]) => {
    const missing = definition.scopes.filter((scope) => !scopes.has(scope));
    const sees = holdsAll(scopes, definition.scopes);
    return html`<div><dt>${plan}</dt><dd>${sees ? html`<span class="badge good">sees it</span>` : html`<span class="badge">does not: lacks ${visible(missing.join(' '), 200)}</span>`}</dd></div>`;
  });
  const facts: readonly (readonly [string, Html])[] = [
    [
      'Backend',
      html`<a href="${viewer.base}backends/${backend}">${backend}</a>, where it is called ${visible(definition.name)}`,
    ],
    ['Scopes', html`<span class="mono">${visible(definition.scopes.join(' '))}</span>`],
    ['In a list', html`${bytes(wireSize(tool))}`],
    [
      'It says',
      html`${definition.isReadOnly ? 'read only' : 'it may change things'}${definition.isIdempotent ? ', safe to repeat' : ''}`,
    ],
  ];
  return {
    title: 'Tool',
    place: 'catalog',
    parts: [
      {
        id: 'tool',
        content: () =>
          html`<p class="lead mono">${visible(name)}</p><p class="text">${visible(definition.description ?? 'It has no description.', 5_000)}</p>`,
      },
      {
        id: 'facts',
        content: () =>
          html`<dl class="facts panel">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}${plans}</dl>`,
      },
      {
        id: 'schema',
        content: () =>
          html`<h2>As agents get it</h2><pre class="panel" tabindex="0">${visible(JSON.stringify(definition.wire, undefined, 2), longest)}</pre>`,
      },
      {
        id: 'calls',
        content: () =>
          html`<p><a href="${viewer.base}audit?${new URLSearchParams({ tool: name }).toString()}">Its latest calls</a></p>`,
      },
    ],
  };
}
