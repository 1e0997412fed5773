/**
 * Text of somebody else's as a person has to see it: what draws nothing, or drives a terminal, is spelled out. Line ends
 * stay.
 */
export function visibleText(text: string): string {
  return text.replaceAll(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

const hidden =
  /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]|\p{Default_Ignorable_Code_Point}|\u2800|[\u{e0000}-\u{e0fff}]/gu;
