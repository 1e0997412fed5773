import type { Snapshot } from '#catalog/snapshot.ts';
import type { Principal } from '#kernel/principal.ts';
import { type ChangeKind, changeKinds, listsOf, wholeTools } from './change-kinds.ts';
import type { Choice } from './choice.ts';
import { ownEntries } from './entries.ts';
import type { Personal } from './personal.ts';
import { knownOwn, type Own } from './sight.ts';

/** Who looks on, through what choice: an open stream. */
export interface OnLooker {
  readonly principal: Principal;
  readonly choice: Choice;
}

/** What each stream's own half looked like when it was last told of it, for those that have one. */
export interface OwnHalves {
  add(stream: OnLooker): void;
  has(stream: OnLooker): boolean;
  delete(stream: OnLooker): void;
  /** The kinds in which it is not what it was; from now on it is what is known now. Undefined: not all is known. */
  changes(stream: OnLooker): readonly ChangeKind[] | undefined;
}

/** A hash of each kind. */
type Prints = ReadonlyMap<ChangeKind, string>;
const none: Prints = new Map();

export function createOwnHalves(deps: {
  readonly personal: Personal;
  readonly snapshot: () => Snapshot;
}): OwnHalves {
  const seen = new Map<OnLooker, Prints>();

  const ownOf = ({ principal, choice }: OnLooker): Own | undefined =>
    knownOwn(deps, { snapshot: deps.snapshot(), principal, choice: wholeTools(choice) });

  function remember(stream: OnLooker, prints: Prints): void {
    if (prints === none) seen.delete(stream);
    else seen.set(stream, prints);
  }

  return {
    add: (stream) => remember(stream, printsOf(ownOf(stream))),
    has: (stream) => seen.has(stream),
    delete: (stream) => void seen.delete(stream),
    changes(stream) {
      const own = ownOf(stream);
      if (own?.isLate) return undefined;
      const before = seen.get(stream) ?? none;
      const now = printsOf(own);
      remember(stream, now);
      return changeKinds.filter((kind) => (before.get(kind) ?? '') !== (now.get(kind) ?? ''));
    },
  };
}

function printsOf(own: Own | undefined): Prints {
  return own === undefined ? none : new Map(changeKinds.map((kind) => [kind, printOf(own, kind)]));
}

function printOf(own: Own, kind: ChangeKind): string {
  const entries = listsOf[kind].flatMap((list) => ownEntries(own, list, 'modern'));
  if (entries.length === 0) return '';
  const hash = new Bun.CryptoHasher('sha256');
  for (const { json } of entries) hash.update(json);
  return hash.digest('base64url');
}
