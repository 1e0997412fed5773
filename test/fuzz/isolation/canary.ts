/** The people of the sequences. `twin` is of another issuer, and has the subject of `ada`. */
export const owners = ['ada', 'bob', 'cyd', 'twin'] as const;
export type Owner = (typeof owners)[number];

/** Where a canary is planted, so that a leak says what leaked. No word begins another: tables put values side by side. */
const places = [
  'mail',
  'account',
  'tool',
  'list',
  'result',
  'error',
  'param',
  'question',
  'state',
  'news',
  'note',
  'event',
  'agent',
  'ticket',
] as const;
export type Place = (typeof places)[number];

/** Twice, so that its base64 is as unlikely as itself, wherever in a text it begins. */
const mark = 'zqxzqx';
const planted = new RegExp(`${mark}-(${owners.join('|')})-(?:${places.join('|')})`, 'gi');
/** The mark in base64, for each of the three ways that it can lie across groups of three bytes. */
const encodedMark = /enF4enF4|eHpxeC|cXh6cXgt/;
const runs = /[A-Za-z0-9+/_-]{12,}/g;

export function canary(owner: Owner, place: Place): string {
  return `${mark}-${owner}-${place}`;
}

/** Whose canaries a text holds, plain or as base64, each with its own text. */
export function canariesIn(text: string): readonly { readonly owner: string; readonly found: string }[] {
  const inside = encodedMark.test(text)
    ? (text.match(runs) ?? []).filter((run) => encodedMark.test(run))
    : [];
  const decoded = inside.flatMap((run) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64url').toString('latin1')),
  );
  return [text, ...decoded].flatMap((plain) =>
    [...plain.matchAll(planted)].map(([found, owner = '']) => ({ owner: owner.toLowerCase(), found })),
  );
}

/** The first canary in a text that is not this owner's. Most texts hold none, and cost one look. */
export function foreignIn(text: string, owner: Owner): string | undefined {
  if (!text.includes(mark) && !encodedMark.test(text)) return undefined;
  return canariesIn(text).find((one) => one.owner !== owner)?.found;
}
