import { join } from 'node:path';
import { startGateway } from '../test/support/binary.ts';
import { writeConfig } from '../test/support/config-file.ts';
import { freePort } from '../test/support/free-port.ts';
import { createIssuer } from '../test/support/issuer.ts';
import { createTempFolder } from '../test/support/temp-folder.ts';
import { startBackend, startPlainProxy } from './nginx.ts';

export interface Target {
  readonly name: 'nginx' | 'sdk' | 'gateway';
  readonly url: string;
  readonly pid: number;
}

export interface Targets extends AsyncDisposable {
  readonly targets: readonly Target[];
  readonly tokensFile: string;
  readonly toolName: string;
  readonly body: string;
}

const scope = 'mcp:bench';
const toolName = 'docs_search';
const principals = 64;

/** The one request of every target, described by itself as the 2026-07-28 revision wants it. */
const body = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: toolName,
    arguments: { query: 'quarterly report' },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});

/** Starts the backend and the three things in front of it, and checks that each gives the backend's answer. */
export async function startTargets(): Promise<Targets> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const [backendPort, proxyPort, sdkPort, gatewayPort] = [freePort(), freePort(), freePort(), freePort()];
  const audience = `http://127.0.0.1:${gatewayPort}/mcp`;
  const backendUrl = `http://127.0.0.1:${backendPort}`;

  const issuer = parts.use(await createIssuer({ audience }));
  const tokens: string[] = [];
  for (let index = 0; index < principals; index += 1) {
    tokens.push(await issuer.mint({ sub: `user-${index}`, scope }));
  }
  const tokensFile = join(folder.path, 'tokens');
  await Bun.write(tokensFile, `${tokens.join('\n')}\n`);

  parts.use(await startBackend(folder.path, backendPort));
  const proxy = parts.use(await startPlainProxy(folder.path, proxyPort, backendPort));
  const sdk = startSdk(folder.path, sdkPort, backendUrl, issuer.url, audience);
  parts.defer(async () => {
    sdk.kill('SIGTERM');
    await sdk.exited;
  });
  const config = await writeConfig(folder.path, {
    gateway: { url: audience, listen: `127.0.0.1:${gatewayPort}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: [scope] },
    backends: { docs: { url: backendUrl, technical_token: 'bench-technical-token-0123456789' } },
    // The limiter runs, but must not be what is measured: the load comes from 64 principals.
    limits: { calls_per_minute: 1_000_000 },
    audit: { durability: 'batch' },
  });
  const gateway = parts.use(
    await startGateway({ args: ['--config', config], cwd: folder.path, port: gatewayPort }),
  );

  const targets: readonly Target[] = [
    { name: 'nginx', url: `http://127.0.0.1:${proxyPort}/mcp`, pid: proxy.pid },
    { name: 'sdk', url: `http://127.0.0.1:${sdkPort}/mcp`, pid: sdk.pid },
    { name: 'gateway', url: audience, pid: gateway.pid },
  ];
  for (const target of targets) await checkAnswer(target, tokens[0] ?? '');
  const owned = parts.move();
  return { targets, tokensFile, toolName, body, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function startSdk(
  folder: string,
  port: number,
  backend: string,
  issuer: string,
  audience: string,
): Bun.Subprocess {
  return Bun.spawn([process.execPath, join(import.meta.dirname, 'sdk-gateway.ts')], {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: String(port),
      BACKEND: backend,
      ISSUER: issuer,
      AUDIENCE: audience,
      AUDIT_FILE: join(folder, 'sdk-audit.jsonl'),
    },
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  });
}

/** Asks once, for at most five seconds until it answers; the backend's words must be in the answer. */
async function checkAnswer(target: Target, token: string): Promise<void> {
  let seen = 'nothing';
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await Bun.sleep(50)) {
    const answer = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': toolName,
        authorization: `Bearer ${token}`,
      },
      body,
    }).catch(() => undefined);
    if (answer === undefined) continue;
    seen = `${answer.status} ${await answer.text()}`;
    if (answer.status === 200 && seen.includes('Quarterly report') && !seen.includes('"isError":true'))
      return;
  }
  throw new Error(`${target.name} does not answer the call: ${seen}`);
}
