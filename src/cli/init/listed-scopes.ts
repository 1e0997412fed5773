import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#config/load-config.ts';
import { everyScope } from '../catalog-scopes.ts';
import { pollOnce } from '../poll-once.ts';
import type { Terminal } from '../terminal.ts';
import type { Draft } from './draft.ts';

/**
 * The scopes that the applications ask for by themselves, where they run and know the secret; none otherwise. What is
 * sent to them is what a gateway would send.
 */
export async function listedScopes(
  draft: Pick<Draft, 'url' | 'backends' | 'technicalTokenVariable' | 'allowsHttp'>,
  { environment }: Terminal,
): Promise<readonly string[]> {
  const variable = draft.technicalTokenVariable;
  if (draft.backends.size === 0 || variable === undefined) return [];
  const folder = await mkdtemp(join(tmpdir(), 'cortex-init-'));
  try {
    const file = join(folder, 'cortex.yaml');
    const backends = [...draft.backends].map(([id, url]) => [
      id,
      { url, technical_token: `\${${variable}}`, ...(draft.allowsHttp && { allow_http: true }) },
    ]);
    const config = {
      version: 1,
      state_dir: join(folder, 'state'),
      gateway: { url: draft.url, ...(draft.allowsHttp && { allow_http: true }) },
      auth: { issuers: [{ url: 'https://issuer.invalid' }], challenge_scopes: ['any'] },
      backends: Object.fromEntries(backends),
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    const only = { [variable]: environment[variable] };
    const loaded = await loadConfig({
      cwd: folder,
      environment: only,
      file,
      flags: {},
      mayExpandSecrets: true,
    });
    if (!loaded.ok) return [];
    const { snapshot } = await pollOnce(loaded.value.config, {
      mayRunCommands: false,
      path: environment.PATH ?? '',
    });
    return [...everyScope(snapshot)].toSorted();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
