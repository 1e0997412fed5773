import { isJsonObject } from '#kernel/json.ts';
import type { ClaimName, IssuerOptions } from './options.ts';
import type { ClaimPaths } from './presets/preset.ts';
import { presets } from './presets/table.ts';

/** An issuer's claim places: its preset, with each override replacing that claim's whole list. */
export function claimPathsOf(issuer: Pick<IssuerOptions, 'preset' | 'claims'>): ClaimPaths {
  const base = presets[issuer.preset ?? 'generic'].paths;
  const place = (name: ClaimName) => issuer.claims?.[name] ?? base[name];
  return {
    scopes: place('scopes'),
    permissions: place('permissions'),
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
export function claimAt(payload: unknown, path: string): unknown {
  if (!isJsonObject(payload)) return undefined;
  if (Object.hasOwn(payload, path)) return payload[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    if (Object.hasOwn(payload, name)) return claimAt(payload[name], path.slice(dot + 1));
  }
  return undefined;
}
