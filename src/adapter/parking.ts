import { randomId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Conversation } from './conversation.ts';

/** A call that waits for the user while its server holds the line (mcp.md has it: a modern client, a legacy server). */
export interface ParkedCall {
  readonly conversation: Conversation;
  readonly principal: Principal;
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
  /** Ends what waits for a token that is denied; returns how many. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
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
      const own = [...parked.values()].filter(({ principal }) => principal.key === call.principal.key);
      if (parked.size >= options.maxParked || own.length >= options.maxPerPrincipal) return undefined;
      const id = prefix + randomId();
      const callOff = schedule(limits.requestStateLifetimeMs, () => remove(id)?.cancel());
      parked.set(id, { ...call, callOff });
      return id;
    },
    take(id, principalKey, target) {
      const call = parked.get(id);
      if (call === undefined || call.principal.key !== principalKey || call.target !== target)
        return undefined;
      return remove(id);
    },
    drop(principalKey) {
      for (const [id, call] of [...parked]) if (call.principal.key === principalKey) remove(id)?.cancel();
    },
    endDenied(isDenied) {
      const denied = [...parked].filter(([, { principal }]) => isDenied(principal));
      for (const [id] of denied) remove(id)?.cancel();
      return denied.length;
    },
    size: () => parked.size,
    close() {
      for (const id of [...parked.keys()]) remove(id)?.cancel();
    },
  };
}
