// biome-ignore-all lint/suspicious/noMisleadingCharacterClass: single code points are what is looked for.
// biome-ignore-all lint/suspicious/noControlCharactersInRegex: these, too.
import type { Finding, FindingReason } from './finding.ts';

interface Rule {
  readonly reason: FindingReason;
  /** Never backtracks over more than a bounded stretch. */
  readonly pattern: RegExp;
  /** Whether the match is what honest text needs. */
  readonly isHonest?: (match: string, around: Surroundings) => boolean;
  readonly show?: (match: string) => string;
}
interface Surroundings {
  /** The character before, and the one after; empty at the ends. */
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

/** Scripts whose spelling needs joiners. */
const joiningScript =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u;
const pictograph = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u;
const takesSelector = /[\p{S}\p{P}\p{Emoji}\p{Script=Han}]/u;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const blackFlag = '\u{1f3f4}';
/** The flags that are spelled with tag characters: England, Scotland, Wales. */
const flags = new Set(['gbeng', 'gbsct', 'gbwls']);
const longestShown = 60;

const rules: readonly Rule[] = [
  {
    reason: 'tag_characters',
    pattern: /[\u{e0000}-\u{e007f}]+/gu,
    isHonest: (match, { before }) => before === blackFlag && flags.has(tagLetters(match)),
    show: (match) => `${codePoint(match)} and on: "${tagLetters(match)}"`,
  },
  {
    // One after a symbol chooses how it is drawn; more of them draw nothing and carry bytes.
    reason: 'variation_selectors',
    pattern: /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]+/gu,
    isHonest: (match, { before }) => [...match].length === 1 && takesSelector.test(before),
    show: (match) => `${[...match].length} from ${codePoint(match)}`,
  },
  {
    reason: 'invisible',
    pattern:
      /[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}]+/gu,
  },
  {
    reason: 'invisible',
    pattern: /[\u200c\u200d]+/g,
    isHonest: (match, { before, after }) =>
      match.length === 1 &&
      (joiningScript.test(before) ||
        (match === '\u200d' && pictograph.test(before) && pictograph.test(after))),
  },
  { reason: 'bidirectional', pattern: /[\u202a-\u202e\u2066-\u2069]+/g },
  {
    reason: 'bidirectional',
    pattern: /[\u200e\u200f\u061c]+/g,
    isHonest: (_match, { text }) => rightToLeft.test(text),
  },
  {
    reason: 'control',
    pattern:
      /(?:\u001b\[|\u009b)[0-?]{0,40}[ -/]{0,8}[@-~]?|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]+/g,
  },
  {
    reason: 'mixed_script',
    pattern: /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]+/gu,
    isHonest: (match) => !isMixed(match),
    show: (match) => `${match.slice(0, longestShown)} (${foreignLetters(match)})`,
  },
  { reason: 'hidden_markup', pattern: /<!--.{0,60}/gs },
  // A link of Markdown that nothing refers to is a comment.
  { reason: 'hidden_markup', pattern: /^ {0,3}\[[^\]\n]{1,40}\]: {0,8}(?:#|<>) {0,8}["'(].{1,60}/gm },
  {
    reason: 'hidden_markup',
    pattern:
      /\b(?:display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden|font-size\s{0,4}:\s{0,4}0(?![.\d]))/gi,
  },
  {
    reason: 'padding',
    pattern: /\s{20,}/g,
    isHonest: (match, { after }) =>
      after === '' || (match.length < 80 && [...match].filter((blank) => blank === '\n').length < 20),
    show: (match) => `${match.length} blanks, then more text`,
  },
];

/** Characters and markup that a person does not see. */
export function findHiddenCharacters(text: string): readonly Finding[] {
  return rules.flatMap(({ reason, pattern, isHonest, show = visible }) =>
    [...text.matchAll(pattern)].flatMap(({ 0: match, index: at }): readonly Finding[] => {
      const end = at + match.length;
      const around = {
        before: [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '',
        after: [...text.slice(end, end + 2)][0] ?? '',
        text,
      };
      return isHonest?.(match, around) ? [] : [{ reason, at, shown: show(match) }];
    }),
  );
}

/** A text as a model reads it: without what is invisible, look-alike forms as plain letters, one blank for many. */
export function plainReading(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cf}\p{Cc}\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u034f\u115f\u1160\u2800\u3164]/gu, '');
}

/** The letters that tag characters stand for. */
function tagLetters(tags: string): string {
  const letters = [...tags].flatMap((tag) => {
    const code = (tag.codePointAt(0) ?? 0) - 0xe0000;
    return code >= 0x20 && code < 0x7f ? [String.fromCharCode(code)] : [];
  });
  return letters.slice(0, longestShown).join('');
}

/** A unit begins or ends with a Greek letter; no honest word has one inside, or a Cyrillic one anywhere. */
function isMixed(word: string): boolean {
  if (!/\p{Script=Latin}/u.test(word)) return false;
  return /\p{Script=Cyrillic}/u.test(word) || /\p{Script=Latin}\p{Script=Greek}+\p{Script=Latin}/u.test(word);
}

function foreignLetters(word: string): string {
  const foreign = [...word].filter((letter) => !/\p{Script=Latin}/u.test(letter));
  return foreign.slice(0, 5).map(codePoint).join(' ');
}

function visible(text: string): string {
  const shown = [...text.slice(0, longestShown)].map((character) => {
    if (character === ' ') return character;
    return /[\p{C}\p{Z}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u.test(character)
      ? `${codePoint(character)} `
      : character;
  });
  return shown.join('').trim();
}

function codePoint(text: string): string {
  return `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
