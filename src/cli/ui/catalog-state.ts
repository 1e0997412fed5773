import type { CatalogItem, CatalogPlan, CatalogTab } from './catalog-items.ts';
import type { KeyPress, Size } from './view.ts';

export const catalogSorts = ['name', 'backend', 'size'] as const;
export type CatalogSort = (typeof catalogSorts)[number];

/** What the browser is told once. */
export interface CatalogBook {
  readonly tabs: readonly CatalogTab[];
  readonly plans: readonly CatalogPlan[];
  /** Said at the top, at the right: where this comes from, and how the backends are. */
  readonly source: string;
  readonly troubles: readonly string[];
}

export interface CatalogState {
  readonly book: CatalogBook;
  readonly tab: number;
  readonly filter: string;
  readonly sort: CatalogSort;
  /** What the tab shows through the filter, sorted. */
  readonly shown: readonly CatalogItem[];
  /** Of `shown`. */
  readonly chosen: number;
  /** The pane has the whole screen. */
  readonly isOpen: boolean;
  /** The pane shows the schema as JSON. */
  readonly isRaw: boolean;
  /** Rows of the pane that are above the screen. */
  readonly scrolled: number;
}

const maxFilterLength = 100;

export function catalogState(
  book: CatalogBook,
  choice: { readonly tab: number; readonly sort: CatalogSort; readonly isRaw: boolean },
): CatalogState {
  return shownAgain({ book, ...choice, filter: '', shown: [], chosen: 0, isOpen: false, scrolled: 0 });
}

/** What the list shows anew, from its top. */
function shownAgain(state: CatalogState): CatalogState {
  const words = state.filter
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '');
  const items = state.book.tabs[state.tab]?.items ?? [];
  const found = items.filter(({ searched }) => words.every((word) => searched.includes(word)));
  return { ...state, shown: found.toSorted(orders[state.sort]), chosen: 0, scrolled: 0 };
}

const byName = (a: CatalogItem, b: CatalogItem) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const orders = {
  name: byName,
  backend: (a: CatalogItem, b: CatalogItem) =>
    a.backend === b.backend ? byName(a, b) : a.backend < b.backend ? -1 : 1,
  size: (a: CatalogItem, b: CatalogItem) => b.bytes - a.bytes || byName(a, b),
} as const;

/** The state after a key; undefined: done. Letters filter, so every command is another key. */
export function pressInCatalog(
  state: CatalogState,
  { key, text }: KeyPress,
  { rows }: Size,
): CatalogState | undefined {
  const page = Math.max(1, rows - 8);
  const step = steps(page)[key];
  if (step !== undefined) return state.isOpen ? scrolled(state, step) : moved(state, step);
  switch (key) {
    case 'shift+up':
      return scrolled(state, -1);
    case 'shift+down':
      return scrolled(state, 1);
    case 'home':
      return state.isOpen ? { ...state, scrolled: 0 } : moved(state, Number.NEGATIVE_INFINITY);
    case 'end':
      return state.isOpen ? scrolled(state, 10_000) : moved(state, Number.POSITIVE_INFINITY);
    case 'tab':
    case 'right':
      return inTab(state, 1);
    case 'shift+tab':
    case 'left':
      return inTab(state, -1);
    case 'enter':
      return state.shown.length === 0 ? state : { ...state, isOpen: !state.isOpen, scrolled: 0 };
    case 'escape':
      if (state.isOpen) return { ...state, isOpen: false, scrolled: 0 };
      return state.filter === '' ? undefined : shownAgain({ ...state, filter: '' });
    case 'ctrl+r':
      return { ...state, isRaw: !state.isRaw, scrolled: 0 };
    case 'ctrl+s':
      return shownAgain({ ...state, sort: after(state.sort) });
    case 'ctrl+u':
      return shownAgain({ ...state, filter: '' });
    case 'backspace':
      return shownAgain({ ...state, filter: [...state.filter].slice(0, -1).join('') });
    case '':
      return shownAgain({
        ...state,
        isOpen: false,
        filter: `${state.filter}${text}`.slice(0, maxFilterLength),
      });
    default:
      return state;
  }
}

function steps(page: number): Readonly<Record<string, number>> {
  return { up: -1, down: 1, 'ctrl+p': -1, 'ctrl+n': 1, pageUp: -page, pageDown: page };
}

function moved(state: CatalogState, by: number): CatalogState {
  const chosen = Math.max(0, Math.min(state.shown.length - 1, state.chosen + by));
  return { ...state, chosen, scrolled: 0 };
}

/** How far the pane goes is known where it is drawn, which stops there. */
function scrolled(state: CatalogState, by: number): CatalogState {
  return { ...state, scrolled: Math.max(0, state.scrolled + by) };
}

function inTab(state: CatalogState, by: number): CatalogState {
  const { length } = state.book.tabs;
  return shownAgain({ ...state, tab: (state.tab + by + length) % length, isOpen: false });
}

function after(sort: CatalogSort): CatalogSort {
  return catalogSorts[(catalogSorts.indexOf(sort) + 1) % catalogSorts.length] ?? 'name';
}
