import { type DiffPart, diffLines, diffWords } from '#integrity/word-diff.ts';
import { type Html, html } from '#kernel/html.ts';
import { isStringArray, type JsonObject, type JsonValue, stringAt } from '#kernel/json.ts';
import { ago } from '../../pages/words.ts';
import { actForm, type ConsolePage, mayDo, type Viewer } from './console-page.ts';
import { objectsAt } from './objects-at.ts';
import { visible } from './shown.ts';

const longest = 20_000;
const itemsShown = 50;

/** Definitions that are not as they were accepted. `list` and `diff` are the answers of the operations of that name. */
export function quarantinePage(list: JsonObject, diff: JsonObject, viewer: Viewer): ConsolePage {
  const items = objectsAt(diff, 'items');
  const listed = objectsAt(list, 'items');
  const gone = listed.filter(({ state }) => state === 'gone');
  const warnings = objectsAt(list, 'warnings');
  const isWithheld = listed.some((item) => item.isWithheld === true);
  const isOurs = list.signedBy !== 'operator';
  return {
    title: 'Quarantine',
    place: 'quarantine',
    parts: [
      { id: 'state', content: () => statePart(list, items.length, isWithheld, isOurs) },
      {
        id: 'items',
        content: () =>
          html`${items.slice(0, itemsShown).map((item) => itemPart(item, viewer, isOurs))}${items.length > itemsShown ? html`<p class="quiet">And ${String(items.length - itemsShown)} more.</p>` : undefined}`,
      },
      ...(gone.length === 0 ? [] : [{ id: 'gone', content: () => gonePart(gone, viewer, isOurs) }]),
      ...(warnings.length === 0 ? [] : [{ id: 'warnings', content: () => warningsPart(warnings) }]),
    ],
  };
}

/** Where nothing is compared, or it cannot be read: the words of the refusal. */
export function quarantineOffPage(message: string): ConsolePage {
  return {
    title: 'Quarantine',
    place: 'quarantine',
    parts: [{ id: 'state', content: () => html`<p class="panel">${message}</p>` }],
  };
}

function statePart(list: JsonObject, open: number, isWithheld: boolean, isOurs: boolean): Html {
  const what =
    open === 0
      ? 'Every definition is as it was accepted.'
      : isWithheld
        ? 'Until somebody approves them, these are shown to nobody and cannot be called.'
        : 'The mode is warn: these are shown and can be called, although nobody has approved them.';
  const signing = isOurs
    ? undefined
    : html`<p>The baseline is signed by you elsewhere, so nothing can be approved here: <code>cortex integrity draft</code>, then <code>cortex integrity sign</code>.</p>`;
  return html`<div class="panel"><p>${what}</p>${signing}<p class="quiet small">${String(list.accepted ?? 0)} accepted definitions in ${visible(String(list.baseline ?? ''))}</p></div>`;
}

function itemPart(item: JsonObject, viewer: Viewer, isOurs: boolean): Html {
  const text = (key: string) => stringAt(item, key) ?? '';
  const fields = {
    name: text('shownAs'),
    backend: text('backend'),
    kind: text('kind'),
    print: text('print'),
  };
  const since = Date.parse(text('since'));
  const approve =
    isOurs && mayDo(viewer, 'operate')
      ? html`<details class="approve"><summary>Approve…</summary><p>From then on this is the accepted definition, for everybody who sees it.</p>${actForm(viewer, 'quarantine/approve', fields, html`<button class="button">Approve exactly this</button>`)}</details>`
      : undefined;
  return html`<article class="panel item"><header><h2><span class="mono">${visible(fields.name, 120)}</span> <span class="quiet">${fields.kind} of ${fields.backend}</span></h2><p><span class="badge warn">${text('state').replaceAll('_', ' ')}</span>${Number.isNaN(since) ? undefined : html` ${ago(since, viewer.now)}`}${item.isPersonal === true ? ', listed to single persons' : ''}</p></header>
${objectsAt(item, 'changes').map((change) => changePart(change, item.isTextKept === true))}
<footer>${approve}<span class="quiet small mono">${fields.print.slice(0, 16)}</span></footer></article>`;
}

function changePart({ field, before, after }: JsonObject, isTextKept: boolean): Html {
  return html`<section class="change"><h3>${visible(String(field))}</h3>${isTextKept ? changeText(before, after) : html`<p class="text">${visible(shown(after), longest)}</p><p class="quiet small">What it was before is not kept: it was one person’s.</p>`}</section>`;
}

function changeText(before: JsonValue | undefined, after: JsonValue | undefined): Html {
  if (typeof before === 'string' && typeof after === 'string')
    return html`<p class="text">${diffWords(before, after).map(partHtml)}</p>`;
  const lines = diffLines(
    before === undefined ? '' : `${shown(before)}\n`,
    after === undefined ? '' : `${shown(after)}\n`,
  );
  return html`<pre tabindex="0">${lines.map(partHtml)}</pre>`;
}

function partHtml({ kind, text }: DiffPart): Html {
  const content = visible(text, longest);
  if (kind === 'same') return content;
  return kind === 'removed' ? html`<del>${content}</del>` : html`<ins>${content}</ins>`;
}

function shown(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(sorted(value), undefined, 2);
}

/** Keys in order, so that only real differences show. */
function sorted(value: JsonValue): JsonValue {
  if (isStringArray(value) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, inner === undefined ? inner : sorted(inner)]),
  );
}

function gonePart(gone: readonly JsonObject[], viewer: Viewer, isOurs: boolean): Html {
  const rows = gone.map((item) => {
    const [name = '', backend = '', kind = ''] = ['name', 'backend', 'kind'].map((key) =>
      stringAt(item, key),
    );
    const forget =
      isOurs && mayDo(viewer, 'operate')
        ? actForm(
            viewer,
            'quarantine/approve',
            { name, backend, kind },
            html`<button class="button plain" aria-label="Forget ${name}">Forget</button>`,
          )
        : undefined;
    return html`<li><span class="mono">${visible(name, 120)}</span> <span class="quiet">${kind} of ${backend}</span>${forget}</li>`;
  });
  return html`<h2>Accepted once, listed no more</h2><ul class="panel gone">${rows}</ul>`;
}

function warningsPart(warnings: readonly JsonObject[]): Html {
  const rows = warnings
    .slice(0, 100)
    .map(
      (one) =>
        html`<tr><th scope="row" class="mono">${visible(stringAt(one, 'name') ?? '', 100)}</th><td data-label="Backend">${stringAt(one, 'backend') ?? ''}</td><td data-label="Field">${visible(stringAt(one, 'field') ?? '', 60)}</td><td data-label="Found">${(stringAt(one, 'reason') ?? '').replaceAll('_', ' ')}</td><td data-label="Text">${visible(stringAt(one, 'shown') ?? '', 120)}</td></tr>`,
    );
  return html`<h2>Texts to look at</h2><p class="quiet">They hide something from people, or give the model orders. Nothing is withheld for it.</p><div class="panel"><table class="cards"><thead><tr><th scope="col">Name</th><th scope="col">Backend</th><th scope="col">Field</th><th scope="col">Found</th><th scope="col">Text</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
