import type { Clock } from '#kernel/clock.ts';

export interface WindowLimiter {
  /** Counts one act of `key`. Undefined: allowed; else the whole seconds until its window is over. */
  take(key: string): number | undefined;
}

/** At most `max` acts per key in a window; remembers the last `maxKeys` keys. For acts that are rare by nature. */
export function createWindowLimiter(
  clock: Clock,
  max: number,
  windowSeconds: number,
  maxKeys = 20_000,
): WindowLimiter {
  const windows = new Map<string, { count: number; readonly endsAt: number }>();
  return {
    take(key) {
      const now = clock.monotonic();
      const current = windows.get(key);
      if (current === undefined || current.endsAt <= now) {
        windows.delete(key);
        const oldest = windows.keys().next();
        if (windows.size >= maxKeys && !oldest.done) windows.delete(oldest.value);
        windows.set(key, { count: 1, endsAt: now + windowSeconds * 1000 });
        return undefined;
      }
      if (current.count >= max) return Math.ceil((current.endsAt - now) / 1000);
      current.count += 1;
      return undefined;
    },
  };
}

/** The neighbourhood of an address that limits count together: IPv4 /24, IPv6 /48. */
export function addressRange(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+)\.\d+$/i.exec(address);
  if (v4 !== null) return `${v4[1]}.0/24`;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::')
    ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
    : [];
  return `${[...before, ...zeros, ...after]
    .slice(0, 3)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/48`;
}
