import type { OutboundRequest } from './outbound.ts';
import type { Target } from './target.ts';

const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const isValue = /^[\t\x20-\x7e]*$/;
/** What decides where a request ends and where it goes is written here alone. */
const isOurs =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|upgrade|expect|te|trailer)$/i;

/** The head of a request with its last empty line; undefined where a header could end its line or change the framing. */
export function requestHead(target: Target, request: OutboundRequest, bodyBytes: number): string | undefined {
  let head = `${request.method} ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\n`;
  const { headers } = request;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !isToken.test(name) || !isValue.test(value) || isOurs.test(name))
      return undefined;
    head += `${name}: ${value}\r\n`;
  }
  if (request.body === undefined && request.method !== 'POST') return `${head}\r\n`;
  return `${head}Content-Length: ${bodyBytes}\r\n\r\n`;
}
