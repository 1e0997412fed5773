import { deployments } from './deployments.ts';
import type { MakeWorld } from './world.ts';

/** Every world, by the name that cases call it. */
export const worlds: Readonly<Record<string, MakeWorld>> = {
  ...deployments,
  /** An empty folder. */
  nothing: async () => ({ names: {}, [Symbol.asyncDispose]: async () => {} }),
};
