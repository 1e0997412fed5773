import { isJsonObject } from '#kernel/json.ts';
import type { ClaimName, ClaimPath, ClaimPreset, IssuerOptions } from './options.ts';

/** For each claim the places to look in, the first one found winning (scopes: all of them together). */
export type ClaimPaths = Readonly<Record<ClaimName, readonly ClaimPath[]>>;

const presets: Readonly<Record<ClaimPreset, ClaimPaths>> = {
  generic: {
    scopes: ['scope', 'scp'],
    client: ['client_id', 'azp', 'cid', 'appid'],
    role: ['role', 'roles'],
    pool: ['pool'],
    email: ['email'],
    subject: ['sub'],
    session: ['sid'],
    id: ['jti', 'uti'],
  },
  rfc9068: {
    scopes: ['scope'],
    client: ['client_id'],
    role: ['roles'],
    pool: ['pool'],
    email: ['email'],
    subject: ['sub'],
    session: ['sid'],
    id: ['jti'],
  },
};

/** An issuer's claim places: its preset, with each override replacing that claim's whole list. */
export function claimPathsOf(issuer: Pick<IssuerOptions, 'preset' | 'claims'>): ClaimPaths {
  const base = presets[issuer.preset ?? 'generic'];
  const place = (name: ClaimName): readonly ClaimPath[] => {
    const override = issuer.claims?.[name];
    return override === undefined ? base[name] : [override];
  };
  return {
    scopes: place('scopes'),
    client: place('client'),
    role: place('role'),
    pool: place('pool'),
    email: place('email'),
    subject: place('subject'),
    session: place('session'),
    id: place('id'),
  };
}

/** The values at those of the paths that exist, in order. Own properties only: `constructor` is nobody's role. */
export function claimsAt(payload: unknown, paths: readonly ClaimPath[]): readonly unknown[] {
  return paths.map((path) => claimAt(payload, path)).filter((value) => value !== undefined);
}

function claimAt(payload: unknown, path: ClaimPath): unknown {
  let value = payload;
  for (const segment of typeof path === 'string' ? path.split('.') : path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}
