import { principalKey } from '#kernel/principal.ts';
import type { GrantOwner } from './grant.ts';

/** No issuer has this name: issuers are URLs. */
const catalogIssuer = 'catalog';

/** The owner of a credential that serves discovery alone. */
export function catalogOwner(server: string): GrantOwner {
  return { issuer: catalogIssuer, subject: server, key: principalKey(catalogIssuer, server) };
}

export function isCatalogOwner(owner: GrantOwner): boolean {
  return owner.issuer === catalogIssuer;
}
