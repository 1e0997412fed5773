/** The head of an answer, and what it says about the bytes after it (RFC 9112 section 6.3). */
export interface AnswerHead {
  readonly status: number;
  /** Lower-case names; a repeated header's values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, or what else shows its end. */
  readonly body: number | 'chunked' | 'until_close';
  /** Whether another request may follow on this connection. */
  readonly isReusable: boolean;
}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Parses a head without its last empty line; undefined where anything about it is odd. Two readers that understand an odd
 * head differently are how one caller gets another one's answer, so folded lines, spaces before a colon, repeated or
 * unclear lengths and unknown transfer codings are all refused.
 */
export function parseAnswerHead(text: string): AnswerHead | undefined {
  const lines = text.split('\r\n');
  const match = statusLine.exec(lines[0] ?? '');
  if (match === null) return undefined;
  const isOld = match[1] === '0';
  const status = Number(match[2]);
  const headers = new Map<string, string>();
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!token.test(name) || notInValue.test(line)) return undefined;
    const before = headers.get(name);
    if (before !== undefined && name === 'content-length') return undefined;
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const body = bodyOf(status, headers, isOld);
  if (body === undefined) return undefined;
  const isReusable = !isOld && body !== 'until_close' && !asksToClose(headers.get('connection'));
  return { status, headers, body, isReusable };
}

function bodyOf(
  status: number,
  headers: ReadonlyMap<string, string>,
  isOld: boolean,
): AnswerHead['body'] | undefined {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  if (coding !== undefined) {
    if (length !== undefined || isOld || coding.toLowerCase() !== 'chunked') return undefined;
  }
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return 'chunked';
  return length === undefined ? 'until_close' : Number(length);
}

function asksToClose(connection: string | undefined): boolean {
  return connection !== undefined && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection);
}
