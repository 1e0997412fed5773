import type { Principal } from '#kernel/principal.ts';
import { headerText } from './header-text.ts';
import { contractHeaders } from './headers.ts';
import { isScopeToken } from './scope.ts';

/**
 * The `X-Cortex-*` headers that repeat what the token says that goes with them, made of the principal alone; `tokenScopes`
 * where that token holds others than the caller's. Absent claims have no header; a scope that could read as two is left out.
 */
export function contextHeaders(
  principal: Principal,
  tokenScopes: readonly string[] = principal.tokenScopes,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { [contractHeaders.userId]: headerText(principal.subject) };
  addText(headers, contractHeaders.userEmail, principal.email);
  addText(headers, contractHeaders.userRole, principal.role);
  addText(headers, contractHeaders.userPool, principal.pool);
  const scopes = tokenScopes.filter(isScopeToken);
  if (scopes.length > 0) headers[contractHeaders.scopes] = scopes.join(' ');
  return headers;
}

function addText(headers: Record<string, string>, name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') headers[name] = headerText(value);
}
