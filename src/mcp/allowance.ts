import type { Limiter } from '#cluster/limiter.ts';
import type { Principal } from '#kernel/principal.ts';

/** What a principal may call in a minute; 0 sets no limit. */
export interface AllowanceSettings {
  readonly callsPerMinute: number;
  readonly planCallsPerMinute: ReadonlyMap<string, number>;
  /** In order; the first that matches a tool's public name counts, per principal and pattern. */
  readonly toolCallsPerMinute: readonly {
    readonly pattern: string;
    readonly matches: (publicName: string) => boolean;
    readonly perMinute: number;
  }[];
}

/** 0: go on; else the seconds after which it makes sense to try again (R32). */
export interface Allowance {
  takeCall(principal: Principal): number;
  takeTool(principal: Principal, publicName: string): number;
}

export function createAllowance(limiter: Limiter, settings: () => AllowanceSettings): Allowance {
  const take = (key: string, perMinute: number) => (perMinute === 0 ? 0 : limiter.take(key, perMinute));

  return {
    takeCall(principal) {
      const { callsPerMinute, planCallsPerMinute } = settings();
      const ofPlan = principal.plan === undefined ? undefined : planCallsPerMinute.get(principal.plan);
      return take(`call ${principal.key}`, ofPlan ?? callsPerMinute);
    },
    takeTool(principal, publicName) {
      for (const { pattern, matches, perMinute } of settings().toolCallsPerMinute) {
        if (matches(publicName)) return take(`tool ${pattern} ${principal.key}`, perMinute);
      }
      return 0;
    },
  };
}
