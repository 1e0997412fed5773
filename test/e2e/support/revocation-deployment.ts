import { join } from 'node:path';
import { loadConfig } from '#config/load-config.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { openConfiguredVault } from '#wiring/configured-vault.ts';
import { startNativeServer } from '../../gateway/support/native-server.ts';
import { type CortexProcess, startGateway } from '../../support/binary.ts';
import { createCapturingBackend } from '../../support/capturing-backend.ts';
import { writeConfig } from '../../support/config-file.ts';
import { freePort } from '../../support/free-port.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from '../../support/issuer.ts';
import { createCaller, type McpCaller } from '../../support/mcp-caller.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { waitForTool } from '../../support/wait-for-tool.ts';
import { type AnyClient, type ClientKind, connectClient } from './any-client.ts';
import { commandServer } from './command-server.ts';

const modes = ['propagate', 'assert', 'exchange'] as const;
export const tools = ['propagate_run', 'assert_run', 'exchange_run', 'account_echo', 'own_echo'] as const;
const scope = 'mcp:test';

/** The gateway as a process, with a backend of each identity mode, linked accounts, and a process for each user. */
export interface RevocationDeployment extends AsyncDisposable {
  readonly issuer: TestIssuer;
  readonly control: string;
  readonly configFile: string;
  readonly folder: string;
  mint(claims: TokenClaims): Promise<string>;
  connect(kind: ClientKind, claims: TokenClaims): Promise<AnyClient>;
  caller(claims: TokenClaims): Promise<McpCaller>;
  /** Requests that reached applications and servers in this user's name. */
  sentFor(subject: string): number;
  /** Killed without warning, and started again. */
  restart(): Promise<void>;
}

export async function deployForRevocation(): Promise<RevocationDeployment> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = parts.use(
    await createIssuer({
      audience: url,
      algorithm: 'ES256',
      onToken: (form) =>
        Response.json({
          access_token: `exchanged.${form.get('subject_token')?.split('.')[1]}.token`,
          token_type: 'Bearer',
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          expires_in: 300,
        }),
    }),
  );
  const backends = modes.map((id) => {
    const backend = parts.use(
      createCapturingBackend({ tools: [{ name: 'run', scope, description: 'Runs.' }] }),
    );
    backend.answer('run', async () => {
      await Bun.sleep(5 + Math.random() * 20);
      return Response.json({ ran: true });
    });
    return [id, backend] as const;
  });
  const native = parts.use(
    startNativeServer({
      guard: {
        issuer: () => 'https://provider.example',
        accepts: async (token) => token.startsWith('account of '),
      },
    }),
  );
  const file = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: {
      issuers: [{ url: issuer.url, exchange: { client_id: 'gateway', client_secret: 'secret' } }],
      challenge_scopes: [scope],
    },
    backends: Object.fromEntries(
      backends.map(([id, backend]) => [
        id,
        {
          url: backend.url,
          technical_token: 'technical-token',
          identity: id,
          token_audience: `urn:${id}`,
        },
      ]),
    ),
    servers: {
      account: { url: native.url, scopes: { default: scope } },
      own: commandServer('legacy', { process: 'principal' }),
    },
    limits: { calls_per_minute: 1_000_000, streams_per_principal: 200 },
  });
  for (const subject of ['ada', 'bob']) await link(file, folder.path, issuer.url, subject);

  const start = () => startGateway({ args: ['--config', file], cwd: folder.path, port });
  let gateway: CortexProcess = await start();
  parts.defer(async () => void (await gateway.stop()));
  const mint = (claims: TokenClaims) => issuer.mint({ scope, ...claims });
  const settle = async () => {
    const token = await mint({ sub: 'settler' });
    for (const tool of tools) if (tool !== 'account_echo') await waitForTool(url, token, tool);
  };
  await settle();
  const owned = parts.move();
  const origin = new URL(url).origin;
  return {
    issuer,
    control: join(folder.path, 'state', 'control.sock'),
    configFile: file,
    folder: folder.path,
    mint,
    connect: async (kind, claims) => connectClient(kind, url, await mint(claims)),
    caller: async (claims) =>
      createCaller(await mint(claims), (request) => {
        const { pathname, search } = new URL(request.url);
        return fetch(new Request(`${origin}${pathname}${search}`, request));
      }),
    sentFor(subject) {
      const isTheirs = (headers: Headers): boolean => {
        const token = headers.get('authorization') ?? '';
        return token.endsWith(`account of ${subject}`) || subjectOf(token) === subject;
      };
      const sent = [...backends.flatMap(([, backend]) => backend.calls), ...native.requests];
      return sent.filter(({ headers }) => isTheirs(headers)).length;
    },
    async restart() {
      process.kill(gateway.pid, 'SIGKILL');
      await gateway.exited;
      gateway = await start();
      await settle();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The user has an account at the server, as if it had been linked on the page. */
async function link(file: string, folder: string, issuer: string, subject: string): Promise<void> {
  const environment = { HOME: folder };
  const loaded = await loadConfig({ cwd: folder, environment, file, flags: {}, mayExpandSecrets: true });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { config } = loaded.value;
  const store = openSqliteStore(config.store.path);
  const vault = await openConfiguredVault({ config, store, clock: systemClock, log: silentLog }, 'create');
  if (!vault.ok) throw new Error(vault.error);
  await vault.value.grants.put({ issuer, subject, key: principalKey(issuer, subject) }, 'account', {
    accessToken: new Secret(`account of ${subject}`),
    expiresAt: undefined,
    refreshToken: undefined,
    scopes: [],
    issuer: 'https://provider.example',
    clientId: 'gateway',
    resource: undefined,
    account: subject,
    linkedAt: Date.now(),
  });
  await vault.value.close();
  await store.close();
}

function subjectOf(authorization: string): string | undefined {
  const [, payload = ''] = authorization.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims === 'object' && claims !== null && 'sub' in claims ? String(claims.sub) : undefined;
  } catch {
    return undefined;
  }
}
