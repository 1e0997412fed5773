/** What a server says about a token that does not suffice. */
export interface BearerChallenge {
  readonly error: string | undefined;
  readonly scopes: readonly string[];
}

const maxLength = 8_192;
const maxScopes = 64;

/** The `error` and `scope` of a `WWW-Authenticate: Bearer` header (RFC 6750 section 3); other schemes are skipped. */
export function parseBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  if (header === undefined || header.length > maxLength) return undefined;
  const start = /(?:^|,\s*)Bearer(?:\s+|$)/i.exec(header);
  if (start === null) return undefined;
  const rest = header.slice(start.index + start[0].length);
  const scope = parameter(rest, 'scope') ?? '';
  const scopes = scope.split(' ').filter((word) => /^[!#-[\]-~]+$/.test(word));
  return { error: parameter(rest, 'error'), scopes: [...new Set(scopes)].slice(0, maxScopes) };
}

function parameter(text: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,"]+))`, 'i').exec(text);
  return match?.[1] ?? match?.[2];
}
