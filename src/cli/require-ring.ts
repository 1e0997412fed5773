import { nearest } from '#config/nearest.ts';
import { UserError } from './errors.ts';
import { type RingName, ringNames } from './key-places.ts';

/** The name as that of a ring; another word is the caller's mistake. */
export function requireRing(word: string): RingName {
  const found = ringNames.find((name) => name === word);
  if (found !== undefined) return found;
  const close = nearest(word, ringNames);
  throw new UserError(`no key is called ${JSON.stringify(word)}`, {
    next: close === undefined ? `they are: ${ringNames.join(', ')}` : `did you mean ${close}?`,
  });
}
