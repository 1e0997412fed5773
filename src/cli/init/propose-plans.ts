import { isScopeToken } from '#auth/scope-token.ts';
import { isStringArray, type JsonObject } from '#kernel/json.ts';

type Plans = ReadonlyMap<string, readonly string[]>;

/** Scopes of OpenID Connect and of accounts: they open no tool. */
const notOfTools = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'groups',
  'roles',
  'offline_access',
  'offline',
  'acr',
  'basic',
  'web-origins',
  'microprofile-jwt',
  'organization',
  'service_account',
]);

/** The scopes that an issuer says it has and that may be about tools. */
export function offeredScopes(metadata: JsonObject | undefined): readonly string[] {
  const offered = metadata?.scopes_supported;
  if (!isStringArray(offered)) return [];
  return offered.filter(
    (scope) => isScopeToken(scope) && !notOfTools.has(scope.toLowerCase()) && !scope.includes('zitadel'),
  );
}

/** What backends and servers would most simply be opened by, where nobody has said yet. */
export function namedAfter(backends: Iterable<string>, servers: Iterable<string>): readonly string[] {
  const ofBackends = [...backends].flatMap((id) => [`mcp:${id}:read`, `mcp:${id}:write`]);
  return [...ofBackends, ...[...servers].map((id) => `mcp:${id}`)];
}

/** Two plans where some scopes only read, else one; the larger first. */
export function proposePlans(scopes: readonly string[]): Plans {
  const reading = scopes.filter((scope) => /(?:^|[:._/-])(?:read|view|list|get)(?:[:._/-]|$)/i.test(scope));
  if (scopes.length === 0) return new Map();
  if (reading.length === 0 || reading.length === scopes.length) return new Map([['everyone', scopes]]);
  return new Map([
    ['pro', scopes],
    ['free', reading],
  ]);
}

/** The larger first, so that each caller gets the largest plan whose scopes are all held. */
export function inOrder(plans: Plans): Plans {
  return new Map([...plans].toSorted(([, one], [, other]) => other.length - one.length));
}
