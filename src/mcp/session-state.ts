import type { PeerAnswer } from '#backends/backend.ts';
import type { Cancellable } from '#kernel/cancellation.ts';
import type { RpcId } from '#wire/json-rpc.ts';
import { isLogLevel, type LogLevel } from '#wire/protocol.ts';
import type { LegacySession } from './session.ts';

/** What a legacy session did since `initialize`; log level and subscriptions also survive a restart. */
export interface SessionState {
  readonly subscriptions: ReadonlySet<string>;
  readonly logLevel: LogLevel;
  /** Aborts by the client's own request id. */
  readonly inFlight: Map<RpcId, Cancellable>;
  /** Questions waiting for a posted response. */
  readonly questions: Map<RpcId, (answer: PeerAnswer) => void>;
}

interface MutableState extends SessionState {
  subscriptions: ReadonlySet<string>;
  logLevel: LogLevel;
  /** One for each open stream: told when the subscriptions change. */
  readonly holders: Set<{ readonly changed: () => void }>;
}

/** The part that is stored: by session id, until the session expires. */
export interface SessionStore {
  load(id: string): Promise<StoredState | undefined>;
  save(id: string, state: StoredState, expiresAt: number): Promise<void>;
  remove(id: string): Promise<void>;
}
export interface StoredState {
  readonly logLevel: string;
  readonly subscriptions: readonly string[];
}

export interface SessionStates {
  /** Loads what was stored of a session that this process has not seen; undefined when nothing has to be awaited. */
  ready(session: LegacySession): Promise<void> | undefined;
  of(session: LegacySession): SessionState;
  setLogLevel(session: LegacySession, level: LogLevel): Promise<void>;
  /** False: the session has as many subscriptions as it may have. */
  subscribe(session: LegacySession, uri: string): Promise<boolean>;
  unsubscribe(session: LegacySession, uri: string): Promise<void>;
  /**
   * Keeps the state in memory until the returned function is called: an open stream reads it without waiting, and
   * is told when the subscriptions change.
   */
  hold(session: LegacySession, changed?: () => void): () => void;
  forget(session: LegacySession): Promise<void>;
  close(): void;
}

const maxStatesDefault = 20_000;
const defaultLevel: LogLevel = 'info';

export function createSessionStates(deps: {
  readonly store: SessionStore;
  readonly maxSubscriptions: number;
  readonly maxStates?: number;
}): SessionStates {
  const { maxStates = maxStatesDefault } = deps;
  const states = new Map<string, MutableState>();

  function evictOne(): void {
    for (const [id, state] of states) {
      if (state.holders.size > 0 || state.inFlight.size > 0 || state.questions.size > 0) continue;
      states.delete(id);
      return;
    }
  }

  function make(session: LegacySession, stored: StoredState | undefined): MutableState {
    if (states.size >= maxStates) evictOne();
    const state: MutableState = {
      subscriptions: new Set(stored?.subscriptions),
      logLevel: isLogLevel(stored?.logLevel) ? stored.logLevel : defaultLevel,
      inFlight: new Map(),
      questions: new Map(),
      holders: new Set(),
    };
    states.set(session.id, state);
    return state;
  }

  const of = (session: LegacySession) => states.get(session.id) ?? make(session, undefined);

  async function load(session: LegacySession): Promise<void> {
    const stored = await deps.store.load(session.id);
    if (!states.has(session.id)) make(session, stored);
  }

  function save(session: LegacySession, state: MutableState): Promise<void> {
    const stored = { logLevel: state.logLevel, subscriptions: [...state.subscriptions] };
    return deps.store.save(session.id, stored, session.expiresAt);
  }

  return {
    of,
    ready: (session) => (states.has(session.id) ? undefined : load(session)),
    async setLogLevel(session, level) {
      const state = of(session);
      state.logLevel = level;
      await save(session, state);
    },
    async subscribe(session, uri) {
      const state = of(session);
      if (state.subscriptions.has(uri)) return true;
      if (state.subscriptions.size >= deps.maxSubscriptions) return false;
      state.subscriptions = new Set(state.subscriptions).add(uri);
      for (const { changed } of state.holders) changed();
      await save(session, state);
      return true;
    },
    async unsubscribe(session, uri) {
      const state = of(session);
      const left = new Set(state.subscriptions);
      if (!left.delete(uri)) return;
      state.subscriptions = left;
      for (const { changed } of state.holders) changed();
      await save(session, state);
    },
    hold(session, changed = () => {}) {
      const { holders } = of(session);
      const holder = { changed };
      holders.add(holder);
      return () => holders.delete(holder);
    },
    async forget(session) {
      const state = states.get(session.id);
      for (const abort of state?.inFlight.values() ?? []) abort.abort('session ended');
      states.delete(session.id);
      await deps.store.remove(session.id);
    },
    close() {
      for (const state of states.values())
        for (const abort of state.inFlight.values()) abort.abort('shutdown');
      states.clear();
    },
  };
}
