import { err, ok, type Result } from '#kernel/result.ts';
import { isKnownQuery } from './known-query.ts';
import type { RequestQuery } from './protected-resource.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/**
 * The bearer token of a request, from `Authorization` alone (RFC 6750 section 2.1). A token in the query is
 * refused even beside a good header: it is already in somebody's access log.
 */
export function readBearer(
  headers: { get(name: string): string | null },
  request: RequestQuery,
  maxTokenBytes: number,
): Result<string, AuthRefusal> {
  if (carriesTokenInQuery(request.search)) return err(refusal('token_in_query'));
  const header = headers.get('authorization');
  if (header === null) return err(refusal('token_missing'));
  if (header.slice(0, 7).toLowerCase() !== 'bearer ') return err(refusal('scheme_refused'));
  const token = header.slice(7).trim();
  if (token.length > maxTokenBytes) return err(refusal('token_too_large', `${token.length} bytes`));
  return ok(token);
}

function carriesTokenInQuery(search: string): boolean {
  if (search === '' || isKnownQuery(search)) return false;
  return new URLSearchParams(search).has('access_token');
}
