import { randomId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Conversation } from './conversation.ts';

/** A call that waits for the user while its server holds the line (mcp.md has it: a modern client, a legacy server). */
export interface ParkedCall {
  readonly conversation: Conversation;
  readonly principalKey: string;
  /** The very call: a retry of another one does not get it. */
  readonly target: string;
}

export interface Parking {
  /** The id to come back with; undefined: too many wait, of this principal or in all. */
  park(call: ParkedCall): string | undefined;
  /** Takes a call out; undefined: there is none that this principal may take up with this id and target. */
  take(id: string, principalKey: string, target: string): Conversation | undefined;
  /** Ends what waits for one principal. */
  drop(principalKey: string): void;
  size(): number;
  close(): void;
}

export interface ParkingOptions {
  readonly maxParked: number;
  readonly maxPerPrincipal: number;
}

/** So that a state of ours is told from a server's own. */
const prefix = 'cortex-parked:';

export function isParkId(state: string): boolean {
  return state.startsWith(prefix);
}

/** Keeps calls for `limits.requestStateLifetimeMs`, in this process alone; what is not come back for is cancelled. */
export function createParking(options: ParkingOptions, schedule: Schedule): Parking {
  const parked = new Map<string, ParkedCall & { readonly callOff: () => void }>();

  function remove(id: string): Conversation | undefined {
    const call = parked.get(id);
    call?.callOff();
    parked.delete(id);
    return call?.conversation;
  }

  return {
    park(call) {
      const own = [...parked.values()].filter(({ principalKey }) => principalKey === call.principalKey);
      if (parked.size >= options.maxParked || own.length >= options.maxPerPrincipal) return undefined;
      const id = prefix + randomId();
      const callOff = schedule(limits.requestStateLifetimeMs, () => remove(id)?.cancel());
      parked.set(id, { ...call, callOff });
      return id;
    },
    take(id, principalKey, target) {
      const call = parked.get(id);
      if (call === undefined || call.principalKey !== principalKey || call.target !== target)
        return undefined;
      return remove(id);
    },
    drop(principalKey) {
      for (const [id, call] of [...parked]) if (call.principalKey === principalKey) remove(id)?.cancel();
    },
    size: () => parked.size,
    close() {
      for (const id of [...parked.keys()]) remove(id)?.cancel();
    },
  };
}
