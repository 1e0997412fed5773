import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '#config/config.ts';
import { loadConfig } from '#config/load-config.ts';
import { demoPlans } from '#demo/demo-plans.ts';
import { type DemoWorld, startDemoWorld } from '#demo/demo-world.ts';
import type { Mailer } from '#demo/mailer.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { createFetchJsonDocument } from '#outbound/fetch-json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { createPublicOutbound } from '#outbound/public-outbound.ts';
import { UserError } from './errors.ts';
import { type RunningGateway, startGateway } from './running-gateway.ts';
import type { Terminal } from './terminal.ts';

export interface DemoOptions {
  /** Undefined: a folder of its own that is removed at the end. */
  readonly folder: string | undefined;
  readonly gatewayPort: number;
  readonly issuerPort: number;
  /** Of the third-party MCP server; undefined: there is none. */
  readonly calendarPort: number | undefined;
  /** Of the operators’ console; undefined: there is none. */
  readonly adminPort: number | undefined;
  /** The public origin, of gateway and authorization server alike: a proxy tells them apart by path. Undefined: on this machine alone. */
  readonly publicUrl: string | undefined;
  readonly mailer: Mailer;
  readonly isQuiet: boolean;
}

/** The gateway and everything around it. */
export interface RunningDemo {
  readonly url: string;
  readonly issuer: string;
  readonly world: DemoWorld;
  readonly running: RunningGateway;
  readonly config: Config;
  readonly folder: string;
  readonly configFile: string;
  /** Where operators look, and what lets them in. */
  readonly console: { readonly url: string; readonly token: string } | undefined;
  stop(): Promise<void>;
}

/** Starts authorization server, applications and gateway, the latter with a real config file in the demo's folder. */
export async function startDemo(options: DemoOptions, terminal: Terminal): Promise<RunningDemo> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cortex-demo-'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isLocal = options.publicUrl === undefined;
  const url = `${options.publicUrl ?? `http://127.0.0.1:${options.gatewayPort}`}/mcp`;
  const issuer = options.publicUrl ?? `http://127.0.0.1:${options.issuerPort}`;
  // In public the addresses come from strangers, who could make the server fetch from its own network.
  const outbound = isLocal ? createOutbound() : createPublicOutbound();
  const log: Log = silentLog;

  const world = await startDemoWorld({
    resource: url,
    issuer,
    issuerPort: options.issuerPort,
    calendarPort: options.calendarPort,
    folder: options.folder === undefined ? undefined : join(folder, 'authorization-server'),
    mailer: options.mailer,
    fetchDocument: createFetchJsonDocument(outbound),
    isLocal,
    clock: systemClock,
    log,
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`the authorization server cannot start on port ${options.issuerPort}: ${why}`, {
      exitCode: 3,
      next: 'stop what runs there (another demo?), or choose ports: cortex demo --listen 127.0.0.1:4213',
    });
  });
  const configFile = join(folder, 'cortex.yaml');
  const console = options.adminPort === undefined ? undefined : consoleAt(options.adminPort);
  writeFileSync(configFile, demoConfig({ url, issuer, world, folder, options, console }), { mode: 0o600 });
  const loaded = await loadConfig({
    cwd: folder,
    environment: {},
    file: configFile,
    flags: {},
    mayExpandSecrets: true,
  });
  if (!loaded.ok) throw new Error(loaded.error.issues.map(({ message }) => message).join('; '));
  const { config } = loaded.value;
  const quietTerminal = options.isQuiet ? { ...terminal, say: () => {} } : terminal;
  try {
    const running = await startGateway(config, quietTerminal, { isDev: false, reload: async () => [] });
    await running.gateway.settled();
    return {
      url,
      issuer,
      world,
      running,
      config,
      folder,
      configFile,
      console,
      async stop() {
        await running.stop();
        await world.close();
        await outbound.close();
        if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await world.close();
    await outbound.close();
    throw error;
  }
}

/** With a token of this start alone. */
function consoleAt(port: number): NonNullable<RunningDemo['console']> {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  return { url: `http://127.0.0.1:${port}/`, token };
}

/** The demo's configuration as a person would write it. */
function demoConfig(of: {
  readonly url: string;
  readonly issuer: string;
  readonly world: DemoWorld;
  readonly folder: string;
  readonly options: DemoOptions;
  readonly console: RunningDemo['console'];
}): string {
  const { url, issuer, world, folder, options, console } = of;
  const client = `client_id: ${world.gatewayClient.id}, client_secret: ${JSON.stringify(world.gatewayClient.secret)}`;
  // The larger plan first: the first whose scopes are all held names the caller's plan.
  const plans = (['pro', 'free'] as const).map((plan) => `  ${plan}: [${demoPlans[plan].join(', ')}]`);
  return [
    '# Written by `cortex demo` at each start.',
    'version: 1',
    `state_dir: ${JSON.stringify(join(folder, 'state'))}`,
    'gateway:',
    `  url: ${url}`,
    `  listen: 127.0.0.1:${options.gatewayPort}`,
    '  server_name: Cortex demo',
    'auth:',
    '  issuers:',
    `    - url: ${issuer}`,
    '      preset: rfc9068',
    // Read where it listens: a machine does not always reach itself by its public name.
    `      jwks_uri: ${world.issuerUrl}/.well-known/jwks.json`,
    `      revocation_feed: { kind: stream, url: ${world.issuerUrl}/events, ${client} }`,
    `      introspection: { url: ${world.issuerUrl}/introspect, ${client} }`,
    'plans:',
    ...plans,
    'backends:',
    `  notes: { url: ${world.notesUrl}, technical_token: ${JSON.stringify(world.technicalToken)} }`,
    `  billing: { url: ${world.billingUrl}, technical_token: ${JSON.stringify(world.technicalToken)} }`,
    ...(world.calendarUrl === undefined
      ? []
      : ['servers:', `  calendar: { url: ${world.calendarUrl}, scopes: { default: mcp:calendar } }`]),
    ...(console === undefined
      ? []
      : [
          'admin:',
          `  listen: ${new URL(console.url).host}`,
          `  tokens: { demo: { token: ${console.token}, role: reveal } }`,
        ]),
    ...(options.publicUrl === undefined ? [] : ['limits:', '  calls_per_minute: 60']),
    '',
  ].join('\n');
}
