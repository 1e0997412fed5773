const SENTINEL = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;

/** Decodes `Mcp-Name` and `Mcp-Param-*` values; undefined where the value is malformed. Source: MCP 2026-07-28 streamable-http "Value Encoding". */
export function decodeHeaderValue(value: string): string | undefined {
  if (value.startsWith('=?base64?') && value.endsWith('?=')) {
    const encoded = SENTINEL.exec(value)?.[1];
    if (encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    // The decoder takes missing padding and stray bits; the specification does not.
    if (bytes.toString('base64') !== encoded) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return undefined;
    }
  }
  return value === '' || PLAIN.test(value) ? value : undefined;
}

/** Encodes a value for a header: plain where that is safe, else `=?base64?...?=`. */
export function encodeHeaderValue(value: string): string {
  const isSentinel = value.startsWith('=?base64?') && value.endsWith('?=');
  if (!isSentinel && (value === '' || PLAIN.test(value))) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
