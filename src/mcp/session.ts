import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import { isLegacyRevision, type LegacyRevision } from '#wire/protocol.ts';
import type { Refusal } from './refusal.ts';

/** What `initialize` agreed, sealed into the session id itself: no store, any process with the key can read it (R11). */
export interface LegacySession {
  readonly id: string;
  readonly revision: LegacyRevision;
  readonly capabilities: JsonObject;
  readonly agent: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Sessions {
  mint(
    principal: Principal,
    revision: LegacyRevision,
    capabilities: JsonObject,
    agent: string | undefined,
  ): LegacySession;
  /** The session, if it is this principal's and client's, has not expired and was not ended. Synchronous when it was opened before. */
  open(
    id: string,
    principal: Principal,
  ): Result<LegacySession, Refusal> | Promise<Result<LegacySession, Refusal>>;
  end(session: LegacySession, principal: Principal): Promise<void>;
  close(): void;
}

/** Ended sessions, stored until they would have expired. */
export interface TombstonePort {
  add(id: string, expiresAt: number): Promise<void>;
  has(id: string): Promise<boolean>;
}

const PURPOSE = 'session';
const MAX_ID_LENGTH = 8_192;
const MAX_OPENED = 10_000;

function bound(principal: Principal): readonly string[] {
  return [principal.issuer, principal.subject, principal.clientId ?? ''];
}

function parseSession(id: string, text: string): LegacySession | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const { r, c, e } = parsed.value;
  if (typeof r !== 'string' || !isLegacyRevision(r) || !isJsonObject(c) || typeof e !== 'number')
    return undefined;
  return { id, revision: r, capabilities: c, agent: stringAt(parsed.value, 'a'), expiresAt: e };
}

export function createSessions(deps: {
  readonly seal: Sealer;
  readonly tombstones: TombstonePort;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}): Sessions {
  /** Opened before, by principal and id: saves the decryption on every request. */
  const opened = new Map<string, LegacySession>();
  let endings = 0;

  function remember(key: string, session: LegacySession): void {
    if (opened.size >= MAX_OPENED) {
      const oldest = opened.keys().next();
      if (!oldest.done) opened.delete(oldest.value);
    }
    opened.set(key, session);
  }

  // No header holds a line break: whatever a client's name holds, an id cannot pass for another's.
  const keyOf = (principal: Principal, id: string) => `${principal.key}\n${principal.clientId ?? ''}\n${id}`;

  function unseal(id: string, principal: Principal): LegacySession | undefined {
    if (id.length > MAX_ID_LENGTH) return undefined;
    const text = deps.seal.open(PURPOSE, bound(principal), id);
    return text.ok ? parseSession(id, text.value) : undefined;
  }

  async function openStored(
    key: string,
    id: string,
    principal: Principal,
  ): Promise<Result<LegacySession, Refusal>> {
    const session = unseal(id, principal);
    if (session === undefined || session.expiresAt <= deps.clock.now())
      return err({ reason: 'session_gone' });
    const before = endings;
    if (await deps.tombstones.has(id)) return err({ reason: 'session_gone' });
    // One that was ended meanwhile must not be remembered as open.
    if (endings === before) remember(key, session);
    return ok(session);
  }

  return {
    mint(principal, revision, capabilities, agent) {
      const expiresAt = deps.clock.now() + deps.lifetimeMs;
      const payload = JSON.stringify({ n: randomId(), r: revision, c: capabilities, a: agent, e: expiresAt });
      const id = deps.seal.seal(PURPOSE, bound(principal), payload);
      return { id, revision, capabilities, agent, expiresAt };
    },
    open(id, principal) {
      const key = keyOf(principal, id);
      const session = opened.get(key);
      if (session === undefined) return openStored(key, id, principal);
      if (session.expiresAt > deps.clock.now()) return ok(session);
      opened.delete(key);
      return err({ reason: 'session_gone' });
    },
    async end(session, principal) {
      endings += 1;
      opened.delete(keyOf(principal, session.id));
      await deps.tombstones.add(session.id, session.expiresAt);
    },
    close() {
      opened.clear();
    },
  };
}
