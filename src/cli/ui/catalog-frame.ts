import type { CatalogItem } from './catalog-items.ts';
import type { CatalogState } from './catalog-state.ts';
import { itemPane } from './item-pane.ts';
import {
  beside,
  besideGap,
  bold,
  emptyLine,
  fitLine,
  fitRows,
  fitText,
  keyHints,
  type Line,
  marked,
  rule,
  type Span,
  span,
  spread,
  widthOf,
} from './line.ts';
import type { Size } from './view.ts';

const wideColumns = 100;
const tallRows = 20;

/** The browser on a screen of any size: list and pane side by side, below each other, or one at a time. */
export function catalogFrame(state: CatalogState, { columns, rows }: Size): readonly Line[] {
  const top = [title(state, columns), tabs(state, columns), rule(columns), search(state, columns)];
  const body = bodyOf(state, columns, Math.max(1, rows - top.length - 2));
  return [...top, ...body, rule(columns), hints(state, columns)];
}

function bodyOf(state: CatalogState, columns: number, rows: number): readonly Line[] {
  const item = state.shown[state.chosen];
  if (item === undefined) {
    const why = state.filter === '' ? 'Nothing is listed here.' : 'Nothing matches. Esc shows all again.';
    return fitRows([emptyLine, [span(`  ${why}`, 'soft')]], rows);
  }
  if (state.isOpen) return pane(state, item, columns - 2, rows).map((line) => [span(' '), ...line]);
  if (columns >= wideColumns) {
    const left = Math.min(58, Math.floor(columns * 0.45));
    const right = columns - left - besideGap;
    return beside(list(state, left, rows), left, pane(state, item, right, rows), right);
  }
  if (rows < tallRows - 6) return list(state, columns, rows);
  const above = Math.max(4, Math.floor(rows * 0.45));
  const lower = pane(state, item, columns - 2, rows - above - 1).map((line) => [span(' '), ...line]);
  return [...list(state, columns, above), rule(columns), ...lower];
}

function title({ book }: CatalogState, columns: number): Line {
  const state: Span =
    book.troubles.length === 0 ? span('● ', 'good') : span(`▲ ${book.troubles.join(', ')}  `, 'warn');
  return spread(
    [bold(' Cortex', 'accent'), bold(' catalog')],
    [state, span(`${book.source} `, 'soft')],
    columns,
  );
}

/** The chosen tab is always among what is shown. */
function tabs({ book, tab }: CatalogState, columns: number): Line {
  const parts = book.tabs.map(({ name, items }, at): Line => {
    const text = [
      bold(` ${fitText(name, Math.min(24, Bun.stringWidth(name)))} `, at === tab ? 'accent' : undefined),
      span(`${items.length} `, 'soft'),
    ];
    return at === tab ? marked(text) : text;
  });
  let first = 0;
  while (first < tab && widthOf(parts.slice(first, tab + 1).flat()) > columns - 4) first += 1;
  return fitLine([span(first > 0 ? '‹' : ' ', 'soft'), ...parts.slice(first).flat()], columns);
}

function search(state: CatalogState, columns: number): Line {
  const { filter, shown, book, tab, sort } = state;
  const typed: Line =
    filter === ''
      ? [span(' › ', 'accent'), span('type to filter', 'soft')]
      : [span(' › ', 'accent'), bold(filter), span('▏', 'accent')];
  const all = book.tabs[tab];
  const found = filter === '' ? '' : `${shown.length} of ${all?.items.length ?? 0} · `;
  const cost =
    all?.bytes === undefined
      ? ''
      : ` · list ~${tokens(all.bytes.full)} tokens, search mode ~${tokens(all.bytes.search)}`;
  const right = `${found}by ${sort}${columns >= 80 ? cost : ''} `;
  return spread(typed, [span(right, 'soft')], columns);
}

function tokens(bytes: number): string {
  return Math.round(bytes / 4).toLocaleString('en');
}

function list(state: CatalogState, columns: number, rows: number): readonly Line[] {
  const { shown, chosen } = state;
  const first = Math.max(0, Math.min(chosen - Math.floor(rows / 2), shown.length - rows));
  const visible = shown.slice(first, first + rows);
  const names = Math.min(
    Math.max(16, ...visible.map(({ name }) => Bun.stringWidth(name))),
    Math.floor(columns * 0.55),
  );
  return fitRows(
    visible.map((item, at) => {
      const line = row(item, first + at === chosen, names, columns - 1);
      return [...line, thumb(at, first, visible.length, shown.length)];
    }),
    rows,
  );
}

function row(item: CatalogItem, isChosen: boolean, names: number, columns: number): Line {
  const { kind, name, backend, scopes, summary, hiddenBecause } = item;
  const shown = fitText(name, names);
  const prefix = name.startsWith(`${backend}_`) ? `${backend}_` : '';
  const sign = hiddenBecause === undefined ? signs[kind] : '×';
  const line: Line = [
    span(isChosen ? '▌' : ' ', 'accent'),
    span(`${sign} `, hiddenBecause === undefined ? 'soft' : 'warn'),
    span(shown.slice(0, prefix.length), 'soft'),
    { text: shown.slice(prefix.length), isBold: isChosen },
    span('  '),
  ];
  const rest = columns - widthOf(line);
  const needs = Math.min(26, Math.floor(rest / 2));
  const about: Line =
    rest >= 40
      ? [span(fitText(scopes.join(' '), needs), 'soft'), span('  '), span(fitText(summary, rest - needs - 2))]
      : [span(fitText(hiddenBecause ?? scopes.join(' '), rest), 'soft')];
  const whole = fitLine([...line, ...about], columns);
  return isChosen ? marked(whole) : whole;
}

const signs = { tool: '◆', prompt: '❯', resource: '≡', template: '≈' } as const;

/** The bar at the right of a list that is longer than the screen. */
function thumb(at: number, first: number, visible: number, all: number): Span {
  if (all <= visible) return span(' ');
  const from = Math.floor((first / all) * visible);
  const to = Math.max(from + 1, Math.ceil(((first + visible) / all) * visible));
  return at >= from && at < to ? span('┃', 'soft') : span('│', 'frame');
}

function pane(state: CatalogState, item: CatalogItem, columns: number, rows: number): readonly Line[] {
  const lines = itemPane(item, state.book.plans, state.isRaw, columns);
  if (lines.length <= rows) return fitRows(lines, rows);
  const from = Math.min(state.scrolled, lines.length - rows + 1);
  const below = lines.length - from - (rows - 1);
  const more: Line = [span(below > 0 ? `↓ ${below} more` : '└ the end', 'soft')];
  return [...lines.slice(from, from + rows - 1), more];
}

function hints({ isOpen, isRaw, filter }: CatalogState, columns: number): Line {
  const pairs: readonly (readonly [string, string])[] = isOpen
    ? [
        ['↑↓', 'scroll'],
        ['^R', isRaw ? 'table' : 'JSON'],
        ['Esc', 'back'],
        ['^T', 'colours'],
        ['^C', 'quit'],
      ]
    : [
        ['Esc', filter === '' ? 'quit' : 'clear'],
        ['↑↓', 'choose'],
        ['Tab', 'plan'],
        ['Enter', 'open'],
        ['^R', isRaw ? 'table' : 'JSON'],
        ['^S', 'sort'],
        ['⇧↑↓', 'scroll'],
        ['^T', 'colours'],
      ];
  return keyHints(pairs, columns);
}
