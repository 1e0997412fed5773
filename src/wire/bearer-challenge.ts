/** What a server's `WWW-Authenticate: Bearer` says (RFC 6750 section 3, RFC 9728 section 5.1). */
export interface BearerChallenge {
  readonly error: string | undefined;
  /** Undefined where it names none. */
  readonly scopes: readonly string[] | undefined;
  readonly resourceMetadata: string | undefined;
}

const maxScopes = 100;
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const part = new RegExp(`^(${token})(?:\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}(?=[\\s,]|$))))?`);

/** The Bearer challenge among those of a header, or undefined. What cannot be read ends the reading; nothing throws. */
export function parseBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  let rest = (header ?? '').slice(0, 8_192);
  let isBearer = false;
  let found: Map<string, string> | undefined;
  while (rest !== '') {
    rest = rest.replace(/^[\s,]+/, '');
    const match = part.exec(rest);
    if (match === null) break;
    const [text, name = '', quoted, plain] = match;
    rest = rest.slice(text.length);
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
    if (value !== undefined) {
      if (isBearer && found !== undefined && !found.has(name.toLowerCase()))
        found.set(name.toLowerCase(), value);
      continue;
    }
    if (found !== undefined) break;
    isBearer = name.toLowerCase() === 'bearer';
    if (isBearer) found = new Map();
    else rest = rest.replace(/^\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/, '');
  }
  if (found === undefined) return undefined;
  return {
    error: found.get('error'),
    scopes: scopesIn(found.get('scope')),
    resourceMetadata: found.get('resource_metadata'),
  };
}

function scopesIn(text: string | undefined): readonly string[] | undefined {
  const words = text?.split(' ').filter((word) => /^[!#-[\]-~]+$/.test(word)) ?? [];
  return words.length === 0 ? undefined : [...new Set(words)].slice(0, maxScopes);
}
