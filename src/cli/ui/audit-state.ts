import type { AuditEntry } from './audit-entries.ts';
import type { KeyPress, Size } from './view.ts';

export const auditOutcomes = ['all', 'ok', 'error', 'refused', 'cancelled', 'input_required'] as const;
export const auditOrders = ['slowest', 'busiest', 'failing'] as const;
/** How far back the figures look. */
export const auditSpans = ['1m', '10m', '1h', '1d'] as const;
export type AuditOrder = (typeof auditOrders)[number];
export type AuditSpan = (typeof auditSpans)[number];

export const spanMs = { '1m': 60_000, '10m': 600_000, '1h': 3_600_000, '1d': 86_400_000 } as const;

/** Where the chain does not hold, in words. */
export type BreakText = string;

export interface AuditState {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  /** What came while it stands still. */
  readonly waiting: readonly AuditEntry[];
  readonly breaks: readonly BreakText[];
  readonly isFollowing: boolean;
  /** Where the span of the figures ends: now, while it follows; else the last record. Milliseconds since the epoch. */
  readonly now: number;
  readonly filter: string;
  /** Letters go into the filter. */
  readonly isTyping: boolean;
  readonly outcome: (typeof auditOutcomes)[number];
  readonly order: AuditOrder;
  readonly span: AuditSpan;
  /** The key of the entry; undefined: always the newest. */
  readonly chosen: string | undefined;
  readonly isOpen: boolean;
  readonly scrolled: number;
}

const maxEntries = 20_000;
const maxBreaks = 100;
const maxFilterLength = 100;

export function auditState(choice: Pick<AuditState, 'isFollowing' | 'now' | 'order' | 'span'>): AuditState {
  return {
    entries: [],
    waiting: [],
    breaks: [],
    filter: '',
    isTyping: false,
    outcome: 'all',
    chosen: undefined,
    isOpen: false,
    scrolled: 0,
    ...choice,
  };
}

/** The state after records that were read: history is shown at once, the rest where it follows. */
export function withEntries(state: AuditState, read: readonly AuditEntry[], isHistory: boolean): AuditState {
  if (!isHistory && !state.isFollowing) return { ...state, waiting: kept(state.waiting, read) };
  const entries = kept(state.entries, read);
  return { ...state, entries, now: Math.max(state.now, entries.at(-1)?.time ?? state.now) };
}

export function withBreak(state: AuditState, text: BreakText): AuditState {
  return { ...state, breaks: [...state.breaks, text].slice(-maxBreaks) };
}

export function withTime(state: AuditState, now: number): AuditState {
  return state.isFollowing ? { ...state, now } : state;
}

function kept(before: readonly AuditEntry[], more: readonly AuditEntry[]): readonly AuditEntry[] {
  return [...before, ...more].slice(-maxEntries);
}

/** What the filters let through, oldest first. */
export function filtered({ entries, filter, outcome }: AuditState): readonly AuditEntry[] {
  const words = filter
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '');
  if (words.length === 0 && outcome === 'all') return entries;
  return entries.filter(
    (entry) =>
      (outcome === 'all' || entry.outcome === outcome) &&
      words.every((word) => entry.searched.includes(word)),
  );
}

/** Where the chosen entry stands, counted from the newest. */
export function chosenAt({ chosen }: AuditState, shown: readonly AuditEntry[]): number {
  if (chosen === undefined) return 0;
  const at = shown.findLastIndex(({ key }) => key === chosen);
  return at < 0 ? 0 : shown.length - 1 - at;
}

/** The state after a key; undefined: done. */
export function pressInAudit(state: AuditState, pressed: KeyPress, { rows }: Size): AuditState | undefined {
  const { key, text } = pressed;
  const step = steps(Math.max(1, rows - 16))[key];
  if (step !== undefined) return state.isOpen ? scrolled(state, step) : moved(state, step);
  if (state.isTyping) return typed(state, pressed);
  switch (key) {
    case 'enter':
      return { ...state, isOpen: !state.isOpen, scrolled: 0 };
    case 'escape':
      if (state.isOpen) return { ...state, isOpen: false, scrolled: 0 };
      return state.filter === '' && state.outcome === 'all'
        ? undefined
        : { ...state, filter: '', outcome: 'all' };
    case '':
      return [...text].reduce<AuditState | undefined>(
        (so, letter) => (so === undefined ? so : pressedLetter(so, letter)),
        state,
      );
    default:
      return state;
  }
}

function pressedLetter(state: AuditState, letter: string): AuditState | undefined {
  if (state.isTyping) return withFilter(state, `${state.filter}${letter}`);
  switch (letter) {
    case 'q':
      return undefined;
    case 'f':
    case ' ':
      return state.isFollowing ? { ...state, isFollowing: false } : followed(state);
    case '/':
      return { ...state, isTyping: true, isOpen: false };
    case 'o':
      return { ...state, outcome: after(auditOutcomes, state.outcome), chosen: undefined };
    case 's':
      return { ...state, order: after(auditOrders, state.order) };
    case 'w':
      return { ...state, span: after(auditSpans, state.span) };
    default:
      return state;
  }
}

function typed(state: AuditState, { key, text }: KeyPress): AuditState {
  switch (key) {
    case 'enter':
      return { ...state, isTyping: false };
    case 'escape':
      return { ...state, isTyping: false, filter: '' };
    case 'backspace':
      return withFilter(state, [...state.filter].slice(0, -1).join(''));
    case 'ctrl+u':
      return withFilter(state, '');
    case '':
      return withFilter(state, `${state.filter}${text}`);
    default:
      return state;
  }
}

function withFilter(state: AuditState, filter: string): AuditState {
  return { ...state, filter: filter.slice(0, maxFilterLength), chosen: undefined };
}

function followed(state: AuditState): AuditState {
  return {
    ...state,
    isFollowing: true,
    waiting: [],
    entries: kept(state.entries, state.waiting),
    chosen: undefined,
  };
}

function steps(page: number): Readonly<Record<string, number>> {
  const all = 1_000_000;
  return { up: -1, down: 1, 'ctrl+p': -1, 'ctrl+n': 1, pageUp: -page, pageDown: page, home: -all, end: all };
}

/** Down is older. */
function moved(state: AuditState, by: number): AuditState {
  const shown = filtered(state);
  const at = Math.max(0, Math.min(shown.length - 1, chosenAt(state, shown) + by));
  return { ...state, chosen: at === 0 ? undefined : shown[shown.length - 1 - at]?.key };
}

/** How far the pane goes is known where it is drawn, which stops there. */
function scrolled(state: AuditState, by: number): AuditState {
  return { ...state, scrolled: Math.max(0, Math.min(1_000, state.scrolled + by)) };
}

function after<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length] ?? one;
}
