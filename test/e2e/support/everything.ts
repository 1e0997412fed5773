import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { type AnyClient, type ClientKind, connectDirectly } from './any-client.ts';
import { deployServers } from './server-deployment.ts';

const everything = join(
  import.meta.dirname,
  '../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);
const command = [process.execPath, everything, 'stdio'];

/** The gateway as a process, with the reference server of the MCP project behind it: once as its child, once over HTTP. */
export interface EverythingDeployment extends AsyncDisposable {
  connect(kind: ClientKind, subject?: string): Promise<AnyClient>;
  /** The same server without a gateway. */
  connectDirectly(): Promise<AnyClient>;
}

const shared = { identity: 'none', list: 'shared', scopes: { default: 'mcp:test' } };

export async function startEverything(): Promise<EverythingDeployment> {
  await using parts = new AsyncDisposableStack();
  const serverPort = freePort();
  const server = Bun.spawn([process.execPath, everything, 'streamableHttp'], {
    env: { PATH: process.env.PATH ?? '', PORT: String(serverPort) },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  parts.defer(async () => {
    server.kill('SIGKILL');
    await server.exited;
  });
  await untilListening(serverPort);

  const deployment = parts.use(
    await deployServers(
      {
        local: { ...shared, command, env: { GREETING: 'hello' } },
        remote: { ...shared, url: `http://127.0.0.1:${serverPort}/mcp` },
      },
      ['local', 'remote'],
    ),
  );
  const owned = parts.move();
  return {
    connect: deployment.connect,
    connectDirectly: () => connectDirectly(command),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function untilListening(port: number): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return;
    await Bun.sleep(50);
  }
  throw new Error(`nothing listens on ${port}`);
}
