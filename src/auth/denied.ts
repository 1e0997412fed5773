import type { Principal } from '#kernel/principal.ts';
import type { RevocationKind } from './revocation.ts';

/** A revocation whose `before` is settled: tokens issued up to that second are refused. */
export interface Denial {
  readonly kind: RevocationKind;
  readonly issuer: string;
  readonly value: string;
  readonly before: number;
}

/** What of a token a denial can name. */
export type Deniable = Pick<
  Principal,
  'issuer' | 'subject' | 'sessionId' | 'clientId' | 'grantId' | 'tokenId' | 'issuedAt'
>;

/** Denials in memory, to be looked up for every request. */
export interface Denied {
  /** What of a token is denied. Without a promise, and without an allocation. */
  denies(token: Deniable): RevocationKind | undefined;
  add(denial: Denial): void;
  /** How many of an issuer. */
  sizeOf(issuer: string): number;
  /** The latest `before` of all; before everything where there is none. */
  latest(): number;
}

/** By value. */
type Befores = Map<string, number>;
type OfIssuer = Readonly<Record<RevocationKind, Befores>>;

export function createDenied(): Denied {
  const issuers = new Map<string, OfIssuer>();
  let isEmpty = true;
  let latest = Number.NEGATIVE_INFINITY;

  return {
    denies(token) {
      if (isEmpty) return undefined;
      const of = issuers.get(token.issuer);
      if (of === undefined) return undefined;
      // `iat` may have a fraction, and a token of the very second may be older than the denial.
      const issuedAt = Math.floor(token.issuedAt);
      if (isUntil(of.issuer, '', issuedAt)) return 'issuer';
      if (isUntil(of.subject, token.subject, issuedAt)) return 'subject';
      if (isUntil(of.session, token.sessionId, issuedAt)) return 'session';
      if (isUntil(of.client, token.clientId, issuedAt)) return 'client';
      if (isUntil(of.grant, token.grantId, issuedAt)) return 'grant';
      if (token.tokenId !== undefined && of.token.has(token.tokenId)) return 'token';
      return undefined;
    },
    add({ kind, issuer, value, before }) {
      let of = issuers.get(issuer);
      if (of === undefined) {
        of = newOfIssuer();
        issuers.set(issuer, of);
      }
      const known = of[kind].get(value);
      if (known === undefined || known < before) of[kind].set(value, before);
      latest = Math.max(latest, before);
      isEmpty = false;
    },
    sizeOf(issuer) {
      const of = issuers.get(issuer);
      if (of === undefined) return 0;
      return Object.values(of).reduce((sum, { size }) => sum + size, 0);
    },
    latest: () => latest,
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
