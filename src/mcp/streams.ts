import type { Authenticator } from '#auth/authenticate.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { type ChangeKind, changeKinds, listsOf, wholeTools } from './change-kinds.ts';
import type { Choice } from './choice.ts';
import type { ListKind } from './entries.ts';
import { createOwnHalves } from './own-halves.ts';
import type { Personal } from './personal.ts';
import type { Pulse } from './pulse.ts';
import { knownItem } from './readable.ts';
import type { Views } from './views.ts';

/** One open push stream of either era: a `subscriptions/listen` answer or a legacy session's GET stream. */
export interface PushStream {
  readonly principal: Principal;
  readonly choice: Choice;
  /** Of the legacy session whose stream it is. */
  readonly sessionId: string | undefined;
  wantsList(kind: ChangeKind): boolean;
  /** Whether it follows this URI and may still read it. */
  wantsResource(uri: string, snapshot: Snapshot): boolean;
  notify(method: string, params: JsonObject): void;
  /** Looks again who has the resources that it follows. */
  refollow(): void;
  /** Ends it with a result where the era has one. */
  end(): void;
}

export interface Streams {
  /** False: too many are open, of this principal or in all. */
  add(stream: PushStream): boolean;
  delete(stream: PushStream): void;
  /** The catalog was replaced: tells each stream whose own view changed, once things have been quiet for `debounceMs` (R24). */
  catalogChanged(before: Snapshot): void;
  /** What a principal has for itself may be another: tells its streams alone, and those alone whose own half changed. */
  personalChanged(principalKey: string): void;
  /** Other servers may list something of its own to everyone. */
  serversReplaced(): void;
  resourcesUpdated(uris: readonly string[]): void;
  /** A server says that a resource of its own changed, for everyone or for one principal: others hear nothing of it. */
  resourceUpdated(backend: BackendId, uri: string, principalKey: string | undefined): void;
  /** Tells a legacy session on its open stream; false: it has none. */
  tellSession(principalKey: string, sessionId: string, method: string, params: JsonObject): boolean;
  readonly size: number;
  /** Ends those whose token is denied; returns how many. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
  endAll(): void;
  close(): void;
}

/** Of whom servers are asked, at one time, what is theirs. */
const MAX_ASKED_AT_ONCE = 16;

export function createStreams(deps: {
  readonly views: Views;
  readonly personal: Personal;
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly pulse: Pulse;
  /** Asked for each stream at each beat. */
  readonly isStillGood: Authenticator['isStillGood'];
  readonly debounceMs: number;
  readonly bounds: () => { readonly maxStreams: number; readonly maxStreamsPerPrincipal: number };
}): Streams {
  const streams = new Set<PushStream>();
  const perPrincipal = new Map<string, Set<PushStream>>();
  const ownHalves = createOwnHalves(deps);
  const personallyChanged = new Set<string>();
  const asking: { readonly stream: PushStream; readonly kinds: readonly ChangeKind[] }[] = [];
  let asked = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let baseline: Snapshot | undefined;
  /** What streams saw when they were opened while a change was still to be told: nothing older concerns them. */
  const openedLate = new Map<PushStream, Snapshot>();

  function remove(stream: PushStream): void {
    if (!streams.delete(stream)) return;
    openedLate.delete(stream);
    ownHalves.delete(stream);
    const { key } = stream.principal;
    const left = perPrincipal.get(key);
    left?.delete(stream);
    if (left?.size === 0) perPrincipal.delete(key);
    if (streams.size === 0) deps.pulse.delete(expiry);
  }

  const expiry = {
    beat() {
      const now = deps.clock.now() / 1000;
      for (const stream of streams) {
        if (stream.principal.expiresAt <= now) stream.end();
        else lookAgain(stream);
      }
    },
  };

  function lookAgain(stream: PushStream): void {
    const isGood = deps.isStillGood(stream.principal);
    if (isGood === true) return;
    void isGood.then((confirmed) => {
      if (!confirmed && streams.has(stream)) stream.end();
    });
  }

  function changedKinds(before: Snapshot, after: Snapshot, stream: PushStream): readonly ChangeKind[] {
    const choice = wholeTools(stream.choice);
    const old = deps.views.of(before, stream.principal, choice);
    const now = deps.views.of(after, stream.principal, choice);
    const differs = (kind: ListKind) =>
      deps.views.fingerprint(old, kind) !== deps.views.fingerprint(now, kind);
    return changeKinds.filter((kind) => listsOf[kind].some(differs));
  }

  /** What the views of everyone make of a new catalog, for each stream. */
  function sharedChanges(): (stream: PushStream) => readonly ChangeKind[] {
    const before = baseline;
    const after = deps.snapshot();
    baseline = undefined;
    const late = new Map(openedLate);
    openedLate.clear();
    if (before === undefined || before.generation === after.generation) return () => [];
    const byView = new Map<string, readonly ChangeKind[]>();
    return (stream) => {
      const seen = late.get(stream) ?? before;
      const key = `${seen.generation}\n${stream.principal.scopeKey}\n${stream.choice.key}`;
      const kinds = byView.get(key) ?? changedKinds(seen, after, stream);
      byView.set(key, kinds);
      return kinds;
    };
  }

  function flush(): void {
    timer = undefined;
    const isCatalogNew = baseline !== undefined;
    const shared = sharedChanges();
    const news = new Set(personallyChanged);
    personallyChanged.clear();
    const concerned = isCatalogNew
      ? [...streams]
      : [...news].flatMap((key) => [...(perPrincipal.get(key) ?? [])]);
    for (const stream of concerned) {
      const kinds = shared(stream);
      if (news.has(stream.principal.key)) asking.push({ stream, kinds });
      else tell(stream, kinds);
    }
    askNext();
  }

  /** What a server has not told yet, of an account that was just linked, is waited for: it is the news. A few at a time. */
  function askNext(): void {
    while (asked < MAX_ASKED_AT_ONCE) {
      const next = asking.shift();
      if (next === undefined) return;
      const own = deps.personal.of(deps.snapshot(), next.stream.principal);
      if (!(own instanceof Promise)) {
        tell(next.stream, next.kinds);
        continue;
      }
      asked += 1;
      void own.then(() => {
        asked -= 1;
        tell(next.stream, next.kinds);
        askNext();
      });
    }
  }

  function tell(stream: PushStream, shared: readonly ChangeKind[]): void {
    if (!streams.has(stream)) return;
    const news = ownHalves.changes(stream);
    // What is not known now has not changed: once it is known, whoever found out says so.
    if (news !== undefined) stream.refollow();
    const own = news ?? [];
    for (const kind of changeKinds) {
      if (!shared.includes(kind) && !own.includes(kind)) continue;
      if (stream.wantsList(kind)) stream.notify(`notifications/${kind}/list_changed`, {});
    }
  }

  function tellFollowers(uri: string, concerned: Iterable<PushStream>): void {
    const snapshot = deps.snapshot();
    for (const stream of concerned)
      if (stream.wantsResource(uri, snapshot)) stream.notify('notifications/resources/updated', { uri });
  }

  return {
    add(stream) {
      const bounds = deps.bounds();
      const own = perPrincipal.get(stream.principal.key) ?? new Set();
      if (streams.size >= bounds.maxStreams || own.size >= bounds.maxStreamsPerPrincipal) return false;
      if (streams.size === 0) deps.pulse.add(expiry);
      streams.add(stream);
      if (baseline !== undefined) openedLate.set(stream, deps.snapshot());
      perPrincipal.set(stream.principal.key, own.add(stream));
      ownHalves.add(stream);
      return true;
    },
    delete: remove,
    catalogChanged(before) {
      baseline ??= before;
      timer ??= setTimeout(flush, deps.debounceMs);
    },
    personalChanged(principalKey) {
      if (!perPrincipal.has(principalKey)) return;
      personallyChanged.add(principalKey);
      timer ??= setTimeout(flush, deps.debounceMs);
    },
    serversReplaced() {
      for (const [key, own] of perPrincipal) {
        const isConcerned = [...own].some(
          (one) => ownHalves.has(one) || deps.personal.concerns(one.principal),
        );
        if (isConcerned) personallyChanged.add(key);
      }
      if (personallyChanged.size > 0) timer ??= setTimeout(flush, deps.debounceMs);
    },
    resourcesUpdated(uris) {
      for (const uri of uris) tellFollowers(uri, streams);
    },
    resourceUpdated(backend, uri, principalKey) {
      const concerned = principalKey === undefined ? streams : (perPrincipal.get(principalKey) ?? []);
      const snapshot = deps.snapshot();
      const ofServer = [...concerned].filter(
        ({ principal }) => knownItem(deps, snapshot, principal, uri)?.backend === backend,
      );
      tellFollowers(uri, ofServer);
    },
    tellSession(principalKey, sessionId, method, params) {
      for (const stream of perPrincipal.get(principalKey) ?? []) {
        if (stream.sessionId !== sessionId) continue;
        stream.notify(method, params);
        return true;
      }
      return false;
    },
    get size() {
      return streams.size;
    },
    endDenied(isDenied) {
      const denied = [...streams].filter(({ principal }) => isDenied(principal));
      for (const stream of denied) stream.end();
      return denied.length;
    },
    endAll() {
      for (const stream of [...streams]) stream.end();
    },
    close() {
      clearTimeout(timer);
      for (const stream of [...streams]) stream.end();
      deps.pulse.delete(expiry);
    },
  };
}
