import type { Snapshot } from '#catalog/snapshot.ts';
import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Choice } from './choice.ts';
import type { ListKind } from './entries.ts';
import type { Pulse } from './pulse.ts';
import type { Views } from './views.ts';

/** The three kinds of `list_changed`; templates belong to resources. */
export const changeKinds = ['tools', 'prompts', 'resources'] as const;
export type ChangeKind = (typeof changeKinds)[number];

const listsOf: Readonly<Record<ChangeKind, readonly ListKind[]>> = {
  tools: ['tools'],
  prompts: ['prompts'],
  resources: ['resources', 'resourceTemplates'],
};

/** One open push stream of either era: a `subscriptions/listen` answer or a legacy session's GET stream. */
export interface PushStream {
  readonly principal: Principal;
  readonly choice: Choice;
  wantsList(kind: ChangeKind): boolean;
  /** Whether it follows this URI and may still read it. */
  wantsResource(uri: string, snapshot: Snapshot): boolean;
  notify(method: string, params: JsonObject): void;
  /** Ends it with a result where the era has one. */
  end(): void;
}

export interface Streams {
  /** False: too many are open, of this principal or in all. */
  add(stream: PushStream): boolean;
  delete(stream: PushStream): void;
  /** The catalog was replaced: tells each stream whose own view changed, once things have been quiet for `debounceMs` (R24). */
  catalogChanged(before: Snapshot): void;
  resourcesUpdated(uris: readonly string[]): void;
  readonly size: number;
  endAll(): void;
  close(): void;
}

export function createStreams(deps: {
  readonly views: Views;
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly pulse: Pulse;
  readonly debounceMs: number;
  readonly bounds: () => { readonly maxStreams: number; readonly maxStreamsPerPrincipal: number };
}): Streams {
  const streams = new Set<PushStream>();
  const perPrincipal = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let baseline: Snapshot | undefined;
  /** What streams saw when they were opened while a change was still to be told: nothing older concerns them. */
  const openedLate = new Map<PushStream, Snapshot>();

  function remove(stream: PushStream): void {
    if (!streams.delete(stream)) return;
    openedLate.delete(stream);
    const left = (perPrincipal.get(stream.principal.key) ?? 1) - 1;
    if (left > 0) perPrincipal.set(stream.principal.key, left);
    else perPrincipal.delete(stream.principal.key);
    if (streams.size === 0) deps.pulse.delete(expiry);
  }

  const expiry = {
    beat() {
      const now = deps.clock.now() / 1000;
      for (const stream of streams) if (stream.principal.expiresAt <= now) stream.end();
    },
  };

  function changedKinds(before: Snapshot, after: Snapshot, stream: PushStream): readonly ChangeKind[] {
    const choice: Choice = {
      ...stream.choice,
      mode: 'full',
      key: stream.choice.key.replace(/^search/, 'full'),
    };
    const old = deps.views.of(before, stream.principal, choice);
    const now = deps.views.of(after, stream.principal, choice);
    const differs = (kind: ListKind) =>
      deps.views.fingerprint(old, kind) !== deps.views.fingerprint(now, kind);
    return changeKinds.filter((kind) => listsOf[kind].some(differs));
  }

  function flush(): void {
    timer = undefined;
    const before = baseline;
    const after = deps.snapshot();
    baseline = undefined;
    const late = new Map(openedLate);
    openedLate.clear();
    if (before === undefined || before.generation === after.generation) return;
    const byView = new Map<string, readonly ChangeKind[]>();
    for (const stream of streams) {
      const seen = late.get(stream) ?? before;
      const key = `${seen.generation}\n${stream.principal.scopeKey}\n${stream.choice.key}`;
      const kinds = byView.get(key) ?? changedKinds(seen, after, stream);
      byView.set(key, kinds);
      for (const kind of kinds)
        if (stream.wantsList(kind)) stream.notify(`notifications/${kind}/list_changed`, {});
    }
  }

  return {
    add(stream) {
      const bounds = deps.bounds();
      const own = perPrincipal.get(stream.principal.key) ?? 0;
      if (streams.size >= bounds.maxStreams || own >= bounds.maxStreamsPerPrincipal) return false;
      if (streams.size === 0) deps.pulse.add(expiry);
      streams.add(stream);
      if (baseline !== undefined) openedLate.set(stream, deps.snapshot());
      perPrincipal.set(stream.principal.key, own + 1);
      return true;
    },
    delete: remove,
    catalogChanged(before) {
      baseline ??= before;
      timer ??= setTimeout(flush, deps.debounceMs);
    },
    resourcesUpdated(uris) {
      const snapshot = deps.snapshot();
      for (const uri of uris) {
        for (const stream of streams) {
          if (stream.wantsResource(uri, snapshot)) stream.notify('notifications/resources/updated', { uri });
        }
      }
    },
    get size() {
      return streams.size;
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
