import { err, ok, type Result } from '#kernel/result.ts';
import { isKnownQuery } from './known-query.ts';
import type { RequestQuery } from './protected-resource.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/**
 * The token of a request, from `Authorization` alone (RFC 6750 section 2.1, RFC 9449 section 7.1). A token in the
 * query is refused even beside a good header: it is already in somebody's access log.
 */
export function readToken(
  headers: { get(name: string): string | null },
  request: RequestQuery,
  scheme: 'Bearer' | 'DPoP',
  maxTokenBytes: number,
): Result<string, AuthRefusal> {
  if (carriesTokenInQuery(request.search)) return err(refusal('token_in_query'));
  const header = headers.get('authorization');
  if (header === null) return err(refusal('token_missing'));
  const start = scheme.length + 1;
  if (header.slice(0, start).toLowerCase() !== prefixes[scheme]) return err(refusal('scheme_refused'));
  const token = header.slice(start).trim();
  if (token.length > maxTokenBytes) return err(refusal('token_too_large', `${token.length} bytes`));
  return ok(token);
}

const prefixes = { Bearer: 'bearer ', DPoP: 'dpop ' } as const;

function carriesTokenInQuery(search: string): boolean {
  if (search === '' || isKnownQuery(search)) return false;
  return new URLSearchParams(search).has('access_token');
}
