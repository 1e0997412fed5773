import { err, ok, type Result } from '#kernel/result.ts';
import type { Refusal } from './refusal.ts';

/** What the caller chose to see less of, by URL or header. It makes a list smaller and is never an access control. */
export interface Choice {
  /** Backend ids, sorted; undefined: all. Unknown ids simply match nothing. */
  readonly backends: readonly string[] | undefined;
  readonly mode: 'full' | 'search';
  /** A cache key of both. */
  readonly key: string;
}

const MAX_BACKENDS = 100;
/** No choice made: everything that the scopes open. */
export const wholeChoice: Choice = { backends: undefined, mode: 'full', key: 'full' };

/** Reads `?backends=a,b&mode=search`, else `X-Cortex-Backends` and `X-Cortex-Tool-Mode`; the URL wins. */
export function readChoice(search: string, headers: Headers): Result<Choice, Refusal> {
  const query = search === '' ? undefined : new URLSearchParams(search);
  const backendsText = query?.get('backends') ?? headers.get('x-cortex-backends');
  const modeText = query?.get('mode') ?? headers.get('x-cortex-tool-mode');
  if (!backendsText && !modeText) return ok(wholeChoice);
  const mode = modeText || 'full';
  if (mode !== 'full' && mode !== 'search') {
    return err({ reason: 'choice_invalid', detail: 'mode is full or search' });
  }
  const names = backendsText ? backendsText.split(',').map((name) => name.trim()) : [];
  const backends = [...new Set(names.filter((name) => name !== ''))].sort();
  if (backends.length > MAX_BACKENDS || backends.some((name) => name.length > 24)) {
    return err({ reason: 'choice_invalid', detail: `backends names at most ${MAX_BACKENDS} backends` });
  }
  if (backends.length === 0) return ok({ ...wholeChoice, mode, key: mode });
  return ok({ backends, mode, key: `${mode} ${backends.join(',')}` });
}
