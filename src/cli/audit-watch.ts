import { type AuditEvent, type AuditFilter, readAudit } from '#audit/reader.ts';
import { printable } from '#config/issue.ts';
import type { AuditSource } from './audit-source.ts';
import type { Invocation } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Screen } from './terminal.ts';
import { type AuditEntry, auditEntry } from './ui/audit-entries.ts';
import { auditFrame } from './ui/audit-frame.ts';
import {
  type AuditState,
  auditOrders,
  auditSpans,
  auditState,
  pressInAudit,
  withBreak,
  withEntries,
  withTime,
} from './ui/audit-state.ts';

type Change = (next: (state: AuditState) => AuditState) => void;

/** Records that a view begins with, where nobody says how many. */
const historyLength = 2_000;
const drawEveryMs = 250;
const tickMs = 1_000;

/** The audit on a terminal: rates, slowest tools, refusals and records as they come. Exit code 1: the chain does not hold somewhere. */
export async function watchAudit(
  invocation: Invocation,
  screen: Screen,
  { dir, verifier }: AuditSource,
  filter: AuditFilter,
  last: number | undefined,
): Promise<number> {
  const [{ openView }, { openPreferences }] = await Promise.all([
    import('./ui/open-view.tsx'),
    import('#config/preferences.ts'),
  ]);
  const preferences = openPreferences(invocation.terminal);
  const openedAt = Date.now();
  const isFollowing = invocation.options.has('follow');
  const known = last ?? (filter.since === undefined ? historyLength : undefined);
  const left = await openView(invocation, screen, preferences, {
    initial: auditState({
      isFollowing,
      now: isFollowing ? openedAt : 0,
      order: auditOrders.find((order) => order === preferences.get('audit.order')) ?? 'slowest',
      span: auditSpans.find((span) => span === preferences.get('audit.span')) ?? '10m',
    }),
    frame: auditFrame,
    press: pressInAudit,
    feed: (change, signal) =>
      feed(change, signal, openedAt, readAudit({ dir, filter, last: known, follow: true, verifier, signal })),
  });
  preferences.set('audit.order', left.order);
  preferences.set('audit.span', left.span);
  for (const text of left.breaks)
    invocation.output.warn(`${invocation.output.paint('red', 'broken:')} ${text}`);
  return left.breaks.length === 0 ? exitCodes.done : exitCodes.no;
}

/** Hands records on a few times a second, however many there are: drawing each would be slower than reading. */
async function feed(
  change: Change,
  signal: AbortSignal,
  openedAt: number,
  events: AsyncGenerator<AuditEvent>,
): Promise<void> {
  let history: AuditEntry[] = [];
  let fresh: AuditEntry[] = [];
  function flush(): void {
    if (history.length + fresh.length === 0) return;
    const [before, after] = [history, fresh];
    [history, fresh] = [[], []];
    change((state) => withEntries(withEntries(state, before, true), after, false));
  }
  const drawing = setInterval(flush, drawEveryMs);
  const ticking = setInterval(() => change((state) => withTime(state, Date.now())), tickMs);
  try {
    for await (const event of events) {
      if (signal.aborted) return;
      if (event.kind === 'break') {
        const { file, line, problem } = event;
        change((state) =>
          withBreak(state, printable(`${file}:${line}: ${problem.reason}: ${problem.message}`)),
        );
        continue;
      }
      const entry = auditEntry(event.record);
      (entry.time <= openedAt ? history : fresh).push(entry);
    }
  } finally {
    clearInterval(drawing);
    clearInterval(ticking);
  }
}
