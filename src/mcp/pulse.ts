import type { Clock } from '#kernel/clock.ts';

export interface Pulsed {
  /** Called about every `everyMs` with the monotonic time. */
  beat(nowMs: number): void;
}

/** One timer for every open stream and every call in flight, however many there are. */
export interface Pulse {
  add(member: Pulsed): void;
  delete(member: Pulsed): void;
  now(): number;
  readonly size: number;
  close(): void;
}

export function createPulse(clock: Clock, everyMs: number): Pulse {
  const members = new Set<Pulsed>();
  let timer: ReturnType<typeof setInterval> | undefined;

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(member) {
      members.add(member);
      timer ??= setInterval(() => {
        const now = clock.monotonic();
        for (const each of members) each.beat(now);
        if (members.size === 0) stop();
      }, everyMs);
    },
    delete(member) {
      members.delete(member);
    },
    now: () => clock.monotonic(),
    get size() {
      return members.size;
    },
    close() {
      stop();
      members.clear();
    },
  };
}
