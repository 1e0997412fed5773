import { type BackendFault, faultyToken, startFaultyBackend } from '../../support/faulty-backend.ts';
import { appsWorld } from './apps-world.ts';
import { auditWorld } from './audit-world.ts';
import { deployments } from './deployments.ts';
import { vaultWorld } from './vault-world.ts';
import type { MakeWorld } from './world.ts';

/** Every world, by the name that cases call it. */
export const worlds: Readonly<Record<string, MakeWorld>> = {
  ...deployments,
  /** An empty folder. */
  nothing: async () => ({ names: {}, [Symbol.asyncDispose]: async () => {} }),
  /** Two applications and `cortex.yaml`; no gateway runs. */
  apps: appsWorld({ isRunning: false }),
  /** The same, and no application answers. */
  'apps-down': appsWorld({ isRunning: false, isDown: true }),
  /** Two applications behind a running gateway. */
  gateway: appsWorld({ isRunning: true }),
  /** A tool has changed since it was accepted, behind a running gateway. */
  changed: appsWorld({ isRunning: true, hasChanged: true }),
  audit: auditWorld(false),
  'audit-broken': auditWorld(true),
  vault: vaultWorld,
  /** A backend of somebody's, to be checked. */
  backend: backendWorld(undefined),
  'backend-faulty': backendWorld('forgets expiry'),
};

function backendWorld(fault: BackendFault | undefined): MakeWorld {
  return async () => {
    const backend = startFaultyBackend(fault);
    return {
      names: { backend: backend.url },
      environment: { CORTEX_TECHNICAL_TOKEN: faultyToken },
      [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
    };
  };
}
