import { claimAt } from './claim-paths.ts';

/**
 * The value at the first of the paths that is there. `tid+oid` is one path of two claims: both must be text, and
 * `<tid>:<oid>` comes back, each part escaped, so that no two pairs make one subject.
 */
export function subjectAt(payload: unknown, paths: readonly string[]): unknown {
  for (const path of paths) {
    const whole = claimAt(payload, path);
    if (whole !== undefined) return whole;
    if (!path.includes('+')) continue;
    const parts = path.split('+').map((part) => claimAt(payload, part));
    if (parts.every(isText)) return parts.map(encodeURIComponent).join(':');
  }
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed();
}
