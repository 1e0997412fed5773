import { err, ok } from '#kernel/result.ts';
import { type Kind, scalar } from './kind.ts';

const show = <T>(value: T): T => value;

export const text: Kind<string> = scalar({
  name: 'text',
  schema: { type: 'string', minLength: 1 },
  parse: (value) => (value === '' ? err('is empty') : ok(value)),
});

/** A word without white space or commas: scopes, claim names, globs, audiences. */
export const word: Kind<string> = scalar({
  name: 'word',
  schema: { type: 'string', pattern: '^[^\\s,]+$' },
  parse: (value) => (/^[^\s,]+$/.test(value) ? ok(value) : err('must be one word, without spaces or commas')),
});

/** A scope as RFC 6749 section 3.3 spells it. */
export const scope: Kind<string> = scalar({
  name: 'scope',
  schema: { type: 'string', pattern: '^[!#-\\[\\]-~]+$' },
  parse: (value) =>
    /^[!#-[\]-~]+$/.test(value) ? ok(value) : err('is not a scope: no spaces, quotes or backslashes'),
});

export const flag: Kind<boolean> = scalar({
  name: 'true or false',
  schema: { type: 'boolean' },
  parse: (value) => {
    if (/^(true|yes|on|1)$/i.test(value)) return ok(true);
    if (/^(false|no|off|0)$/i.test(value)) return ok(false);
    return err('must be true or false');
  },
  show,
});

export function integer(min: number, max: number): Kind<number> {
  return scalar({
    name: 'number',
    schema: { type: 'integer', minimum: min, maximum: max },
    parse: (value) => {
      const number = Number(value);
      if (!/^\d{1,15}$/.test(value) || number < min || number > max) {
        return err(min === max ? `must be ${min}` : `must be a whole number from ${min} to ${max}`);
      }
      return ok(number);
    },
    show,
  });
}

/** One of `words`. */
export function oneOf<const W extends string>(words: readonly W[]): Kind<W> {
  return scalar<W>({
    name: words.join(' | '),
    schema: { type: 'string', enum: words },
    parse: (value) => {
      const found = words.find((known) => known === value);
      if (found !== undefined) return ok(found);
      return err(`must be ${words.join(' or ')}`);
    },
  });
}

const msPerUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationUnits = ['ms', 's', 'm', 'h', 'd'] as const;

/** Milliseconds, written `500ms`, `10s`, `5m`, `12h`, `365d`. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  return scalar({
    name: 'duration',
    schema: { type: 'string', pattern: '^\\d{1,9}(ms|s|m|h|d)$' },
    parse: (value) => {
      const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value);
      const unit = durationUnits.find((known) => known === match?.[2]);
      if (match?.[1] === undefined || unit === undefined) {
        return err('is not a duration: write a number and a unit, such as 500ms, 10s, 5m, 12h or 365d');
      }
      const ms = Number(match[1]) * msPerUnit[unit];
      if (ms < minMs || ms > maxMs)
        return err(`must be from ${showDuration(minMs)} to ${showDuration(maxMs)}`);
      return ok(ms);
    },
    show: showDuration,
  });
}

/** Milliseconds in the largest unit that divides them. */
export function showDuration(ms: number): string {
  const unit = durationUnits.findLast((known) => ms > 0 && ms % msPerUnit[known] === 0) ?? 's';
  return `${ms / msPerUnit[unit]}${unit}`;
}

const bytesPerUnit = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;
const sizeUnits = ['B', 'KB', 'MB', 'GB'] as const;

/** Bytes, written `512B`, `16KB`, `4MB`, `1GB` (1 KB is 1,024 bytes). */
export function size(minBytes: number, maxBytes: number): Kind<number> {
  return scalar({
    name: 'size',
    schema: { type: 'string', pattern: '^\\d{1,9}(B|KB|MB|GB)$' },
    parse: (value) => {
      const match = /^(\d{1,9})(B|KB|MB|GB)$/.exec(value);
      const unit = sizeUnits.find((known) => known === match?.[2]);
      if (match?.[1] === undefined || unit === undefined) {
        return err('is not a size: write a number and a unit, such as 512B, 16KB, 4MB or 1GB');
      }
      const bytes = Number(match[1]) * bytesPerUnit[unit];
      if (bytes < minBytes || bytes > maxBytes)
        return err(`must be from ${showSize(minBytes)} to ${showSize(maxBytes)}`);
      return ok(bytes);
    },
    show: showSize,
  });
}

function showSize(bytes: number): string {
  const unit = sizeUnits.findLast((known) => bytes > 0 && bytes % bytesPerUnit[known] === 0) ?? 'B';
  return `${bytes / bytesPerUnit[unit]}${unit}`;
}
