import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';

export interface NamingRules {
  /** Longest public name; never more than the hard limit of 60 counts. */
  readonly maxLength: number;
  /** Names that no backend may have: the gateway's own tools. */
  readonly reserved: ReadonlySet<string>;
}

export type NameRefusal = 'name_illegal' | 'name_too_long' | 'name_reserved';

/** `text` with every character that model APIs refuse replaced by `_`. */
export function legalise(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, '_');
}

/**
 * The public name a backend's tool or prompt asks for: `<prefix>_<own name>`, or the own name where the prefix
 * is empty. Dots, slashes and other characters outside `[A-Za-z0-9_-]` become `_`.
 * `name_illegal`: the own name has no ASCII letter or digit at all, or the prefix an illegal character.
 */
export function proposePublicName(
  prefix: string,
  ownName: string,
  rules: NamingRules,
): Result<string, NameRefusal> {
  if (!/[A-Za-z0-9]/.test(ownName) || /[^A-Za-z0-9_-]/.test(prefix)) return err('name_illegal');
  const name = prefix === '' ? legalise(ownName) : `${prefix}_${legalise(ownName)}`;
  if (name.length > Math.min(rules.maxLength, limits.hardPublicNameLength)) return err('name_too_long');
  if (rules.reserved.has(name)) return err('name_reserved');
  return ok(name);
}
