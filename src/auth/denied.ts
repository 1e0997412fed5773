import type { Principal } from '#kernel/principal.ts';
import type { RevocationKind } from './revocation.ts';

/** A revocation whose `before` is settled. */
export interface Denial {
  readonly kind: RevocationKind;
  readonly issuer: string;
  readonly value: string;
  readonly before: number;
}

/** Revocations in memory, to be looked up for every request. */
export interface Denied {
  /** What of a principal is denied. Less than a microsecond, and without an allocation. */
  denies(principal: Principal): RevocationKind | undefined;
  add(denial: Denial): void;
  delete(denial: Denial): void;
  /** How many of an issuer. */
  sizeOf(issuer: string): number;
  readonly size: number;
}

/** By value: tokens issued until then are refused. */
type Befores = Map<string, number>;
type OfIssuer = Readonly<Record<RevocationKind, Befores>>;

export function createDenied(): Denied {
  const issuers = new Map<string, OfIssuer>();
  let size = 0;

  return {
    denies(principal) {
      if (size === 0) return undefined;
      const of = issuers.get(principal.issuer);
      if (of === undefined) return undefined;
      const { issuedAt } = principal;
      if (isUntil(of.issuer, '', issuedAt)) return 'issuer';
      if (isUntil(of.subject, principal.subject, issuedAt)) return 'subject';
      if (isUntil(of.session, principal.sessionId, issuedAt)) return 'session';
      if (isUntil(of.client, principal.clientId, issuedAt)) return 'client';
      if (isUntil(of.grant, principal.grantId, issuedAt)) return 'grant';
      if (principal.tokenId !== undefined && of.token.has(principal.tokenId)) return 'token';
      return undefined;
    },
    add({ kind, issuer, value, before }) {
      let of = issuers.get(issuer);
      if (of === undefined) {
        of = newOfIssuer();
        issuers.set(issuer, of);
      }
      const known = of[kind].get(value);
      if (known === undefined) size += 1;
      if (known === undefined || known < before) of[kind].set(value, before);
    },
    delete({ kind, issuer, value, before }) {
      const of = issuers.get(issuer);
      if (of?.[kind].get(value) !== before) return;
      of[kind].delete(value);
      size -= 1;
      if (sizeOf(of) === 0) issuers.delete(issuer);
    },
    sizeOf(issuer) {
      const of = issuers.get(issuer);
      return of === undefined ? 0 : sizeOf(of);
    },
    get size() {
      return size;
    },
  };
}

function isUntil(befores: Befores, value: string | undefined, issuedAt: number): boolean {
  if (value === undefined || befores.size === 0) return false;
  const before = befores.get(value);
  return before !== undefined && issuedAt <= before;
}

function newOfIssuer(): OfIssuer {
  return {
    token: new Map(),
    session: new Map(),
    subject: new Map(),
    client: new Map(),
    grant: new Map(),
    issuer: new Map(),
  };
}

function sizeOf(of: OfIssuer): number {
  return of.token.size + of.session.size + of.subject.size + of.client.size + of.grant.size + of.issuer.size;
}
