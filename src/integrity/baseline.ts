import { limits } from '#kernel/limits.ts';
import { type ItemId, itemKey, type Pin } from './pin.ts';

/** Every accepted definition. Replaced, never edited. */
export interface Baseline {
  /** Milliseconds since the epoch at which it was made; a later one is always greater. */
  readonly at: number;
  /** By `itemKey`, the newest last: several where accounts at a server see different definitions. */
  readonly pins: ReadonlyMap<string, readonly Pin[]>;
}

export const emptyBaseline: Baseline = { at: 0, pins: new Map() };

export function pinsOf(baseline: Baseline, item: ItemId): readonly Pin[] {
  return baseline.pins.get(itemKey(item)) ?? [];
}

/** With further pins beside those of the same items; the oldest of too many go. */
export function withPins(baseline: Baseline, added: readonly Pin[]): Baseline {
  const pins = new Map(baseline.pins);
  for (const pin of added) {
    const key = itemKey(pin);
    const others = (pins.get(key) ?? []).filter(({ print }) => print !== pin.print);
    pins.set(key, [...others, pin].slice(-limits.maxPinnedVariants));
  }
  return { ...baseline, pins };
}

/** With these pins in place of those of the same items. */
export function withOnly(baseline: Baseline, accepted: readonly Pin[]): Baseline {
  const pins = new Map(baseline.pins);
  for (const pin of accepted) pins.set(itemKey(pin), [pin]);
  return { ...baseline, pins };
}

export function withoutItems(baseline: Baseline, items: readonly ItemId[]): Baseline {
  const pins = new Map(baseline.pins);
  for (const item of items) pins.delete(itemKey(item));
  return { ...baseline, pins };
}

/** How much is remembered of each backend, so that one that invents names at every poll fills nothing. */
export function createRoom(baseline: Baseline): { take(pin: Pin): boolean } {
  const used = new Map<string, { count: number; characters: number }>();
  const of = (backend: string) => {
    const known = used.get(backend) ?? { count: 0, characters: 0 };
    used.set(backend, known);
    return known;
  };
  for (const pins of baseline.pins.values()) {
    for (const { backend, line } of pins) {
      const own = of(backend);
      own.count += 1;
      own.characters += line.length;
    }
  }
  return {
    take({ backend, line }) {
      const own = of(backend);
      const isFull =
        own.count >= limits.maxPinsPerBackend ||
        own.characters + line.length > limits.maxPinnedCharactersPerBackend;
      if (isFull) return false;
      own.count += 1;
      own.characters += line.length;
      return true;
    },
  };
}
