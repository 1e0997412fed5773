import type { Finding } from './finding.ts';
import { findHiddenCharacters } from './hidden-characters.ts';
import { findOrders } from './orders.ts';

const maxFindings = 20;
const maxScannedCharacters = 100_000;

/**
 * Looks for what a person who reads a definition would not see, and for orders to the model. A warning, never a proof:
 * a text without findings can still mislead. At most 20 findings.
 */
export function scanText(text: string): readonly Finding[] {
  const read = text.slice(0, maxScannedCharacters);
  const found = [...findHiddenCharacters(read), ...findOrders(read)].slice(0, maxFindings);
  if (read.length === text.length) return found;
  return [{ reason: 'too_long', at: read.length, shown: `${text.length} characters` }, ...found];
}
