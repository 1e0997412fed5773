const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `]` with this bit are `{` and `}`. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * Whether the arrays and objects of a JSON text nest deeper than `levels`. Linear; a text that is no JSON gets some answer.
 * Whatever walks a value by recursion, `JSON.stringify` included, fails on one of tens of thousands of levels.
 */
export function nestsDeeperThan(text: string, levels: number): boolean {
  // Each level has an opening and a closing character.
  if (text.length <= 2 * levels) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if ((code | BRACE_BIT) === OPENING && ++depth > levels) return true;
    else if ((code | BRACE_BIT) === CLOSING) depth--;
  }
  return false;
}

/** Where the closing quote stands, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}
