import type { AuditFilter } from '#audit/reader.ts';
import { duration } from '#config/kinds.ts';
import type { GivenOptions, OptionSpec } from './command.ts';
import { UserError } from './errors.ts';

const ago = duration(0, 10 * 365 * 86_400_000);

/** The options that pick records. */
export const filterOptions: readonly OptionSpec[] = [
  { name: 'since', value: 'time', summary: 'From then on: 90s, 15m, 12h, 7d ago, or 2026-03-04T10:00Z.' },
  { name: 'until', value: 'time', summary: 'Before then.' },
  { name: 'user', value: 'pseudonym', summary: 'Only this user’s, as the records name it.' },
  { name: 'tool', value: 'name', summary: 'Only calls of this tool.' },
  { name: 'backend', value: 'id', summary: 'Only calls this backend answered.' },
  {
    name: 'outcome',
    value: 'outcome',
    summary: 'Only calls that ended so.',
    choices: ['ok', 'error', 'refused', 'cancelled', 'input_required'],
  },
];

export function filterOf(options: GivenOptions): AuditFilter {
  const now = Date.now();
  return {
    user: options.text('user'),
    tool: options.text('tool'),
    backend: options.text('backend'),
    outcome: options.text('outcome'),
    since: momentOf(options, 'since', now),
    until: momentOf(options, 'until', now),
  };
}

function momentOf(options: GivenOptions, name: 'since' | 'until', now: number): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const before = ago.parse(text);
  if (before.ok) return now - before.value;
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new UserError(`--${name} ${text} is no time`, { next: `cortex audit tail --${name} 15m` });
}
