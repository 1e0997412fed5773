import type { Config } from '#config/config.ts';
import { linkedServerOf, vaultKeySourcesOf } from '#gateway-options.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import type { KeyProblem } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { openVaultRing } from '#keys/vault-ring.ts';
import type { Store } from '#store/store.ts';
import type { LinkingEngine } from '#vault/linking/linking-engine.ts';
import { openVault, type Vault } from '#vault/vault.ts';

interface VaultDeps {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** What stands in the vault's place, made from it. */
  readonly instead?: ((vault: Vault) => Vault) | undefined;
}

/** The vault with the keys that the configuration names. `read` makes none. The error is for the operator. */
export async function openConfiguredVault(
  deps: VaultDeps,
  how: 'read' | 'create',
): Promise<Result<Vault, string>> {
  const { config, log } = deps;
  const onProblem = (problem: KeyProblem) =>
    log.error('vault.key_file_not_read', { problem: describeKeyProblem(problem) });
  const ring = await openVaultRing(vaultKeySourcesOf(config), how, { onProblem });
  if (!ring.ok) return err(describeKeyProblem(ring.error));
  const vault = await openVault({ ...deps, ring: ring.value, schedule: systemSchedule });
  if (vault.ok) return ok(deps.instead?.(vault.value) ?? vault.value);
  const place = ring.value.path ?? 'the value of keys.vault.key';
  return err(`${place}: the vault in ${config.store.path} was sealed with another key; add that one below`);
}

/** Unlinks where no linking engine runs: one is made for the moment. */
export function unlinkAlone(deps: VaultDeps & { readonly vault: Vault }): LinkingEngine['unlink'] {
  const { config, vault, store, clock, log } = deps;
  return async (owner, server) => {
    const { createLinkingEngine } = await import('#vault/linking/create-linking-engine.ts');
    const engine = createLinkingEngine({
      server: (id) => linkedServerOf(config, id),
      gatewayUrl: config.gateway.url,
      clientName: config.gateway.serverName ?? 'cortex-gateway',
      grants: vault.grants,
      store,
      sealer: vault.sealer,
      clock,
      log,
    });
    try {
      return await engine.unlink(owner, server);
    } finally {
      await engine.close();
    }
  };
}
