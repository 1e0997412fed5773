/**
 * A text as a header value: itself where it is plain, otherwise `=?base64?<base64 of its UTF-8>?=`. What already looks
 * encoded is encoded again, so two texts never share a value: a claim cannot pass for another user's.
 */
export function headerText(text: string): string {
  if (isPlain(text) && !text.startsWith('=?')) return text;
  return `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`;
}

/** Whether a value survives a header unchanged: printable ASCII, no space at either end, not empty. */
export function isPlain(text: string): boolean {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text);
}
