import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';

/** Remembers whose a verified token is, so that only its first use pays for the signature. */
export interface VerifiedTokens {
  /** The key a token is remembered under: its SHA-256, so that the cache's keys are no tokens. */
  keyOf(token: string): string;
  get(key: string, nowMs: number): Principal | undefined;
  set(key: string, principal: Principal): void;
  /** Changes at each `clear`: what was verified before it must not be remembered after it. */
  readonly generation: number;
  clear(): void;
  /** Those that are denied: they are looked at anew if they come again. */
  forget(isDenied: (principal: Principal) => boolean): undefined;
  readonly size: number;
}

/**
 * Two maps instead of an ordered one: entries in use move from `older` to `newer`, and a full `newer` becomes
 * `older`. Deleting from a large Map costs tens of microseconds under Bun, a move costs one insertion.
 */
export function createVerifiedTokens(maxEntries: number): VerifiedTokens {
  const half = Math.max(1, Math.floor(maxEntries / 2));
  let newer = new Map<string, Principal>();
  let older = new Map<string, Principal>();
  let generation = 0;

  function remember(key: string, principal: Principal): void {
    if (newer.size >= half) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, principal);
  }

  return {
    keyOf: (token) => Bun.SHA256.hash(token, 'base64'),
    get(key, nowMs) {
      const recent = newer.get(key);
      const principal = recent ?? older.get(key);
      if (principal === undefined || !isOfNow(principal, nowMs)) return undefined;
      if (recent === undefined) remember(key, principal);
      return principal;
    },
    set: remember,
    get generation() {
      return generation;
    },
    clear() {
      generation += 1;
      newer = new Map();
      older = new Map();
    },
    forget(isDenied) {
      newer = without(newer, isDenied);
      older = without(older, isDenied);
    },
    get size() {
      return newer.size + older.size;
    },
  };
}

/** Also after our clock was set: what would not be verified now is not remembered either. */
function isOfNow({ issuedAt, expiresAt }: Principal, nowMs: number): boolean {
  return expiresAt * 1_000 > nowMs && (issuedAt - limits.clockToleranceSeconds) * 1_000 <= nowMs;
}

/** The same map where nothing is denied; another is quicker to make than many entries are to delete. */
function without(
  entries: Map<string, Principal>,
  isDenied: (principal: Principal) => boolean,
): Map<string, Principal> {
  let hasDenied = false;
  for (const principal of entries.values()) hasDenied ||= isDenied(principal);
  if (!hasDenied) return entries;
  return new Map([...entries].filter(([, principal]) => !isDenied(principal)));
}
