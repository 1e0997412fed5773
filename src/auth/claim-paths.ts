import { isJsonObject } from '#kernel/json.ts';
import type { ClaimName, ClaimPreset, IssuerOptions } from './options.ts';

/** For each claim the places to look in, the first one found winning (scopes: all of them together). */
export type ClaimPaths = Readonly<Record<ClaimName, readonly string[]>>;

const presets: Readonly<Record<ClaimPreset, ClaimPaths>> = {
  generic: {
    scopes: ['scope', 'scp'],
    client: ['client_id', 'azp', 'cid', 'appid'],
    role: ['role', 'roles'],
    pool: ['pool'],
    email: ['email'],
    subject: ['sub'],
    session: ['sid'],
    grant: ['grant_id'],
    tokenId: ['jti', 'uti'],
  },
  rfc9068: {
    scopes: ['scope'],
    client: ['client_id'],
    role: ['roles'],
    pool: ['pool'],
    email: ['email'],
    subject: ['sub'],
    session: ['sid'],
    grant: ['grant_id'],
    tokenId: ['jti'],
  },
};

/** An issuer's claim places: its preset, with each override replacing that claim's whole list. */
export function claimPathsOf(issuer: Pick<IssuerOptions, 'preset' | 'claims'>): ClaimPaths {
  const base = presets[issuer.preset ?? 'generic'];
  const place = (name: ClaimName) => issuer.claims?.[name] ?? base[name];
  return {
    scopes: place('scopes'),
    client: place('client'),
    role: place('role'),
    pool: place('pool'),
    email: place('email'),
    subject: place('subject'),
    session: place('session'),
    grant: place('grant'),
    tokenId: place('tokenId'),
  };
}

/** The values at those of the paths that exist, in order. Own properties only: `constructor` is nobody's role. */
export function claimsAt(payload: unknown, paths: readonly string[]): readonly unknown[] {
  return paths.map((path) => claimAt(payload, path)).filter((value) => value !== undefined);
}

/** The longest name that is a claim wins: `https://x.example/roles` is one name, `realm_access.roles` usually two. */
function claimAt(payload: unknown, path: string): unknown {
  if (!isJsonObject(payload)) return undefined;
  if (Object.hasOwn(payload, path)) return payload[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    if (Object.hasOwn(payload, name)) return claimAt(payload[name], path.slice(dot + 1));
  }
  return undefined;
}
