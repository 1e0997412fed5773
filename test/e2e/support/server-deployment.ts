import { type CortexProcess, startGateway } from '../../support/binary.ts';
import { writeConfig } from '../../support/config-file.ts';
import { freePort } from '../../support/free-port.ts';
import { createIssuer } from '../../support/issuer.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { waitForTool } from '../../support/wait-for-tool.ts';
import { type AnyClient, type ClientKind, connectClient } from './any-client.ts';

/** The command as a process, with third parties' servers behind it. */
export interface ServerDeployment extends AsyncDisposable {
  readonly gateway: CortexProcess;
  connect(kind: ClientKind, subject?: string): Promise<AnyClient>;
}

/** The gateway as a process, with these servers and a tool of each already listed. */
export async function deployServers(
  servers: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  awaited: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<ServerDeployment> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = parts.use(await createIssuer({ audience: url, algorithm: 'ES256' }));
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['mcp:test'] },
    servers,
    ...more,
  });
  const gateway = parts.use(await startGateway({ args: ['--config', config], cwd: folder.path, port }));
  const token = await issuer.mint({ scope: 'mcp:test' });
  for (const id of awaited) await waitForTool(url, token, `${id}_echo`);
  const owned = parts.move();
  return {
    gateway,
    connect: async (kind, sub = 'ada') =>
      connectClient(kind, url, await issuer.mint({ sub, scope: 'mcp:test' })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
