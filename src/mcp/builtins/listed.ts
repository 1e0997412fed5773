import type { BuiltinDefinition } from './builtin.ts';
import { builtinDefinitions } from './definitions.ts';

/** The builtins that a list in this mode shows. */
export function listedBuiltins(mode: 'full' | 'search'): readonly BuiltinDefinition[] {
  return builtinDefinitions.filter(({ isForSearch }) => mode === 'search' || !isForSearch);
}
