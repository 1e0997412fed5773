import { startGateway } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { startFixture } from './fixture-backend.ts';
import { fixtureScope } from './fixture-catalog.ts';
import { startNativeFixture } from './fixture-native.ts';
import { startTokenProxy } from './token-proxy.ts';

export interface Stack extends AsyncDisposable {
  /** What the suite is pointed at. */
  readonly url: string;
  /** What the gateway wrote so far. */
  gatewayOutput(): string;
}

/** What the fixture speaks: the backend contract, or MCP of one era. */
export type Upstream = 'contract' | 'modern' | 'legacy';

/** Issuer, fixture, the gateway as a process, and the proxy that adds the token: all on loopback. */
export async function startStack(upstream: Upstream): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const [proxyPort, gatewayPort, fixturePort] = [freePort(), freePort(), freePort()];
  const url = `http://localhost:${proxyPort}/mcp`;
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;

  const issuer = parts.use(await createIssuer({ audience: url }));
  const token = await issuer.mint({ scope: fixtureScope });
  const secret = 'conformance-upstream-token-0123456789';
  const fixture = parts.use(
    upstream === 'contract'
      ? startFixture({
          port: fixturePort,
          technicalToken: secret,
          issuer: issuer.url,
          jwksUrl: issuer.jwksUrl,
          audience: url,
          gatewayUrl,
        })
      : startNativeFixture({ port: fixturePort, era: upstream, token: secret }),
  );
  const behind =
    upstream === 'contract'
      ? { backends: { fixture: { url: fixture.url, technical_token: secret, prefix: '' } } }
      : {
          servers: {
            fixture: {
              url: `${fixture.url}/mcp`,
              identity: 'static',
              token: secret,
              scopes: { default: fixtureScope },
              prefix: '',
              uris: 'keep',
            },
          },
        };
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${gatewayPort}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: [fixtureScope] },
    ...behind,
    limits: { calls_per_minute: 100_000 },
  });
  const gateway = parts.use(
    await startGateway({ args: ['--config', config], cwd: folder.path, port: gatewayPort }),
  );
  parts.use(startTokenProxy({ port: proxyPort, target: gatewayUrl, token: () => token }));

  await waitForTool(`${gatewayUrl}/mcp`, token, 'test_simple_text');

  const owned = parts.move();
  return {
    url,
    gatewayOutput: () => gateway.output(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
