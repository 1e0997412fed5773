import { UserError } from './errors.ts';

/** Seconds since 1970: a number of them, or a date as ISO 8601 has it. */
export function readSince(text: string): number {
  const seconds = /^\d{1,12}(?:\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1_000;
  if (Number.isFinite(seconds)) return Math.floor(seconds);
  throw new UserError(`--before ${text} is no time`, {
    next: 'give seconds since 1970, or a date such as 2026-11-27T16:00:00Z',
  });
}
