import type { OutboundRequest } from './outbound.ts';
import type { Target } from './target.ts';

/** The head of a request with its last empty line; undefined where a header could end its line or change the framing. */
export type RequestHead = (target: Target, request: OutboundRequest, bodyBytes: number) => string | undefined;

const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const isValue = /^[\t\x20-\x7e]*$/;
/** What decides where a request ends and where it goes is written here alone. */
const isOurs =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade|expect|te|trailer)$/i;

const maxNames = 256;

/** Makes heads, and remembers the lines of headers that many requests share: a token and what it says are most of a head. */
export function createRequestHead(): RequestHead {
  const known = new WeakMap<Readonly<Record<string, string>>, string>();
  /** Names that were found good; there are a dozen. */
  const names = new Set<string>();

  function isGoodName(name: string): boolean {
    if (names.has(name)) return true;
    if (!isToken.test(name) || isOurs.test(name)) return false;
    if (names.size >= maxNames) names.clear();
    names.add(name);
    return true;
  }

  function linesOf(headers: Readonly<Record<string, string>>): string | undefined {
    let lines = '';
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined || !isGoodName(name) || !isValue.test(value)) return undefined;
      lines += `${name}: ${value}\r\n`;
    }
    return lines;
  }

  function sharedLinesOf(headers: Readonly<Record<string, string>>): string | undefined {
    const before = known.get(headers);
    if (before !== undefined) return before;
    const lines = linesOf(headers);
    if (lines !== undefined) known.set(headers, lines);
    return lines;
  }

  return (target, request, bodyBytes) => {
    let head = `${request.method} ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\n`;
    for (const headers of request.shared ?? []) {
      const lines = sharedLinesOf(headers);
      if (lines === undefined) return undefined;
      head += lines;
    }
    const own = linesOf(request.headers);
    if (own === undefined) return undefined;
    if (request.body === undefined && request.method !== 'POST') return `${head}${own}\r\n`;
    return `${head}${own}Content-Length: ${bodyBytes}\r\n\r\n`;
  };
}
