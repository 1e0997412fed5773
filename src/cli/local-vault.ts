import type { Config } from '#config/config.ts';
import { createVaultDesk, type VaultDesk } from '#vault/vault-desk.ts';
import { openConfiguredVault, unlinkAlone } from '#wiring/configured-vault.ts';
import { keyError, withLocalState } from './local-state.ts';

/** Lets `work` have the vault while no gateway runs: opens the store, the keys and the audit, and closes them again. */
export async function withLocalVault<T>(config: Config, work: (desk: VaultDesk) => Promise<T>): Promise<T> {
  return withLocalState(config, 'vault', async (state) => {
    const opened = await openConfiguredVault(state, 'read');
    if (!opened.ok) throw keyError(opened.error);
    const vault = opened.value;
    state.closings.push(() => vault.close());
    return work(
      createVaultDesk({
        vault,
        unlink: unlinkAlone({ ...state, vault }),
        denyTokens: async (owner, actor) => (await state.revocations()).denyTokensOf(owner, actor),
        issuers: () => config.auth.issuers.map(({ url }) => url),
        pseudonyms: state.pseudonyms,
        act: state.act,
      }),
    );
  });
}
