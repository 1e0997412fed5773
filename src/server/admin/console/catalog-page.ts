import type { CatalogTool, Snapshot } from '#catalog/snapshot.ts';
import { visibleCatalog } from '#catalog/visibility.ts';
import { type Html, html } from '#kernel/html.ts';
import { holdsAll } from '#kernel/principal.ts';
import { changeList } from './backend-page.ts';
import type { ConsolePage, Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { bytes, count, visible } from './shown.ts';
import type { WireSizes } from './wire-sizes.ts';

type Plans = ReadonlyMap<string, ReadonlySet<string>>;
const toolsPerPage = 100;

/** Every tool with the plans that see it, and what one plan has that another has not. */
export function catalogPage(
  source: ConsoleSource,
  sizes: WireSizes,
  viewer: Viewer,
  query: URLSearchParams,
): ConsolePage {
  const plans = source.plans();
  const snapshot = source.snapshot();
  const wanted = (name: string) => query.get(name)?.trim() ?? '';
  const [from, to] = [wanted('from'), wanted('to')];
  const [old, now] = [plans.get(from), plans.get(to)];
  return {
    title: 'Catalog',
    place: 'catalog',
    parts: [
      { id: 'plans', content: () => planCards(snapshot, plans, sizes) },
      { id: 'compare', content: () => compareForm(viewer, plans, from, to) },
      ...(old && now
        ? [{ id: 'diff', content: () => planDiff(snapshot, { from, to, old, now }, viewer) }]
        : []),
      { id: 'tools', content: () => toolsPart(source, viewer, plans, query) },
      { id: 'withheld', isLive: true, content: () => withheldPart(snapshot) },
      {
        id: 'changes',
        isLive: true,
        content: () => html`<h2>Latest changes</h2>${changeList(source.history.all(), viewer)}`,
      },
    ],
  };
}

function planCards(snapshot: Snapshot, plans: Plans, sizes: WireSizes): Html {
  const cards = [...plans].map(([name, scopes]) => {
    const { tools, prompts, resources, templates } = visibleCatalog(snapshot, scopes, undefined);
    const size = tools.reduce((sum, tool) => sum + sizes(tool), 0);
    return html`<li class="tile"><p class="label">${name}</p><p class="value">${count(tools.length)} <span class="unit">tools</span></p><div class="below quiet">${count(prompts.length)} prompts, ${count(resources.length + templates.length)} resources; the list has ${bytes(size)}</div></li>`;
  });
  if (cards.length === 0)
    return html`<p class="quiet panel">No plan is configured: what somebody sees depends on the scopes of the token alone.</p>`;
  return html`<ul class="tiles">${cards}</ul>`;
}

function compareForm({ base }: Viewer, plans: Plans, from: string, to: string): Html {
  if (plans.size < 2) return html``;
  const choice = (name: string, label: string, chosen: string) =>
    html`<label>${label}<select name="${name}">${[...plans.keys()].map((plan) => html`<option${plan === chosen ? html` selected` : undefined}>${plan}</option>`)}</select></label>`;
  const last = [...plans.keys()].at(-1) ?? '';
  return html`<form class="filter panel" method="get" action="${base}catalog">${choice('from', 'Compare', from)}${choice('to', 'with', to === '' ? last : to)}<div class="row"><button class="button">Show the difference</button></div></form>`;
}

function planDiff(
  snapshot: Snapshot,
  {
    from,
    to,
    old,
    now,
  }: {
    readonly from: string;
    readonly to: string;
    readonly old: ReadonlySet<string>;
    readonly now: ReadonlySet<string>;
  },
  viewer: Viewer,
): Html {
  const [before, after] = [old, now].map((scopes) => visibleCatalog(snapshot, scopes, undefined).tools);
  const only = (these: readonly CatalogTool[] = [], those: readonly CatalogTool[] = []) => {
    const names = new Set(those.map(({ publicName }) => publicName));
    return these.filter(({ publicName }) => !names.has(publicName));
  };
  const column = (title: string, kind: string, tools: readonly CatalogTool[]) =>
    html`<section class="panel"><h2>${title}</h2>${tools.length === 0 ? html`<p class="quiet">Nothing.</p>` : html`<ul class="names">${tools.map(({ publicName }) => html`<li class="chip ${kind}"><a href="${toolAddress(viewer, publicName)}">${visible(publicName, 80)}</a></li>`)}</ul>`}</section>`;
  return html`<div class="pair">${column(`Only ${to} sees`, 'added', only(after, before))}${column(`Only ${from} sees`, 'removed', only(before, after))}</div>`;
}

function toolsPart(source: ConsoleSource, viewer: Viewer, plans: Plans, query: URLSearchParams): Html {
  const text = query.get('q')?.trim() ?? '';
  const backend = query.get('backend')?.trim() ?? '';
  const needle = text.toLowerCase();
  const all = [...source.snapshot().tools.values()].filter(
    (tool) =>
      (backend === '' || tool.backend === backend) &&
      (needle === '' ||
        tool.publicName.toLowerCase().includes(needle) ||
        tool.definition.description?.toLowerCase().includes(needle) === true),
  );
  const page = Math.max(
    1,
    Math.min(Number(query.get('page')) || 1, Math.ceil(all.length / toolsPerPage) || 1),
  );
  const rows = all.slice((page - 1) * toolsPerPage, page * toolsPerPage);
  const link = (to: number, label: string) =>
    html`<a href="${viewer.base}catalog?${new URLSearchParams({ q: text, backend, page: String(to) }).toString()}#tools">${label}</a>`;
  return html`<div class="bar"><h2>Tools</h2><form class="find" method="get" action="${viewer.base}catalog#tools"><label class="sr" for="q">Find a tool</label><input id="q" name="q" value="${text}" placeholder="Find a tool" autocomplete="off" spellcheck="false">${backend === '' ? undefined : html`<input type="hidden" name="backend" value="${backend}">`}<button class="button plain">Find</button></form></div>
<p class="quiet">${count(all.length)}${backend === '' ? undefined : html` of ${visible(backend)}`}${text === '' ? undefined : html` like “${visible(text)}”`}</p>
${rows.length === 0 ? undefined : toolTable(rows, viewer, plans)}
<p class="row">${page > 1 ? link(page - 1, 'Before') : undefined}${page * toolsPerPage < all.length ? link(page + 1, 'More') : undefined}</p>`;
}

function toolTable(tools: readonly CatalogTool[], viewer: Viewer, plans: Plans): Html {
  const heads = [...plans.keys()].map((plan) => html`<th scope="col" class="plan">${plan}</th>`);
  const rows = tools.map(
    (
      tool,
    ) => html`<tr><th scope="row"><a class="name" href="${toolAddress(viewer, tool.publicName)}">${visible(tool.publicName, 80)}</a><span class="quiet small">${visible(tool.definition.description ?? '', 110)}</span></th>
<td data-label="Backend">${tool.backend}</td><td data-label="Scopes" class="mono small">${visible(tool.definition.scopes.join(' '), 120)}</td>
${[...plans].map(([plan, scopes]) => html`<td data-label="${plan}" class="plan">${holdsAll(scopes, tool.definition.scopes) ? yes : no}</td>`)}</tr>`,
  );
  return html`<div class="panel"><table class="cards"><thead><tr><th scope="col">Tool</th><th scope="col">Backend</th><th scope="col">Scopes</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

const yes = html`<span class="tick">✓<span class="sr"> sees it</span></span>`;
const no = html`<span class="quiet">·<span class="sr"> does not see it</span></span>`;

function toolAddress({ base }: Viewer, name: string): string {
  return `${base}tool?${new URLSearchParams({ name }).toString()}`;
}

function withheldPart({ withheld }: Snapshot): Html {
  if (withheld.length === 0) return html``;
  const rows = withheld
    .slice(0, 100)
    .map(
      ({ backend, kind, name, reason }) =>
        html`<tr><th scope="row">${visible(name, 100)}</th><td data-label="Kind">${kind}</td><td data-label="Backend">${backend}</td><td data-label="Reason">${reason.replaceAll('_', ' ')}</td></tr>`,
    );
  return html`<h2>Left out</h2><p class="quiet">${count(withheld.length)} definitions are listed by their backend and shown to nobody.</p><div class="panel"><table class="cards"><thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Backend</th><th scope="col">Reason</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
