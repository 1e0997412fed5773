import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '#config/config.ts';
import { showIssue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { createGateway, type Gateway, type GatewayDeps } from '#gateway.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { type Log, type LogFields, silentLog } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import type { App } from '#server/app.ts';
import { listen } from '#server/listener.ts';
import type { OperationRefusal } from '#server/operation.ts';
import {
  type CapturingBackend,
  type CapturingBackendOptions,
  createCapturingBackend,
} from './capturing-backend.ts';
import { writeConfig } from './config-file.ts';
import { createIssuer, type TestIssuer, type TokenClaims } from './issuer.ts';
import { createCaller, type McpCaller } from './mcp-caller.ts';
import { createMovingClock, type MovingClock } from './moving-clock.ts';
import { createTempFolder, type TempFolder } from './temp-folder.ts';

export const canonicalUrl = 'http://127.0.0.1:3213/mcp';

/** A backend to start, with what the configuration says of it besides where it is. */
export type BackendSetup = CapturingBackendOptions & { readonly config?: Readonly<Record<string, unknown>> };
type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface GatewaySetup {
  readonly backends?: Readonly<Record<string, BackendSetup>>;
  /** Sections of the configuration, laid over the defaults of these tests key by key. */
  readonly config?: Sections;
  /** Of another gateway: its state and keys are found again. Default: one of its own. */
  readonly folder?: TempFolder;
  /** Of another gateway, already started: they are neither started nor closed. */
  readonly issuer?: TestIssuer;
  readonly running?: ReadonlyMap<string, CapturingBackend>;
  readonly clock?: MovingClock;
  /** What stands in the place of a part. */
  readonly instead?: GatewayDeps['instead'];
}

/** The real gateway in this process: real configuration, state, tokens and backends; no socket unless asked for. */
export interface RunningGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly issuer: TestIssuer;
  readonly folder: TempFolder;
  readonly clock: MovingClock;
  readonly backends: ReadonlyMap<string, CapturingBackend>;
  /** The log so far, `event` first. */
  readonly logged: readonly (LogFields & { readonly event: string })[];
  backend(id: string): CapturingBackend;
  /** Whoever these claims make; `via` is where it connects to. */
  caller(claims?: TokenClaims, via?: (request: Request) => Promise<Response>): Promise<McpCaller>;
  /** Requests without a token of their own. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The audit's `call` records that `which` wants, once there are at least `count`. */
  calls(count: number, which?: (record: JsonObject) => boolean): Promise<readonly JsonObject[]>;
  /** Asks an operation, such as `POST /vault/rotate`, as the operator `test`; its answer, or the refusal. */
  operate(name: string, input?: JsonObject): Promise<Result<JsonObject, OperationRefusal>>;
  /** The audit's records of acts so far. */
  acts(): readonly JsonObject[];
  /** Opens a socket on a free port; gives its origin. It is closed with the gateway. */
  listen(): string;
  /** The same for the operators' listener. */
  listenAdmin(): string;
  /** Loads another configuration, by the same rules, and takes it over. */
  reload(backends: Readonly<Record<string, BackendSetup>>, config?: Sections): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function runGateway(setup: GatewaySetup = {}): Promise<RunningGateway> {
  const owned = new AsyncDisposableStack();
  const folder = setup.folder ?? owned.use(await createTempFolder());
  const issuer =
    setup.issuer ?? owned.use(await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' }));
  const backends = new Map(setup.running);
  const clock = setup.clock ?? createMovingClock();
  const lines: string[] = [];
  const logged: (LogFields & { readonly event: string })[] = [];

  function startMissing(wanted: Readonly<Record<string, BackendSetup>>): void {
    for (const [id, options] of Object.entries(wanted)) {
      if (!backends.has(id)) backends.set(id, owned.use(createCapturingBackend(options)));
    }
  }

  async function load(wanted: Readonly<Record<string, BackendSetup>>, config: Sections): Promise<Config> {
    startMissing(wanted);
    const described = Object.entries(wanted).map(([id, options]) => [
      id,
      {
        url: backends.get(id)?.url,
        technical_token: options.technicalToken ?? 'technical-token',
        ...options.config,
      },
    ]);
    const base: Sections = {
      gateway: { url: canonicalUrl, listen: '127.0.0.1:0' },
      auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['mcp:test'] },
      backends: Object.fromEntries(described),
      limits: { calls_per_minute: 100_000 },
      audit: { stdout: true },
    };
    const sections = Object.fromEntries(
      [...new Set([...Object.keys(base), ...Object.keys(config)])].map((name) => [
        name,
        { ...base[name], ...config[name] },
      ]),
    );
    const file = await writeConfig(folder.path, sections);
    const environment = { HOME: folder.path };
    const loaded = await loadConfig({
      cwd: folder.path,
      environment,
      file,
      flags: {},
      mayExpandSecrets: true,
    });
    if (loaded.ok) return loaded.value.config;
    throw new Error(loaded.error.issues.map((issue) => showIssue(issue, folder.path)).join('\n'));
  }

  const log = Object.fromEntries(
    Object.keys(silentLog).map((level) => [
      level,
      (event: string, fields?: LogFields) => logged.push({ ...fields, event }),
    ]),
  );
  const gateway = await createGateway(await load(setup.backends ?? {}, setup.config ?? {}), {
    log: { ...silentLog, ...log } satisfies Log,
    clock,
    version: '0.0.0-test',
    ...(setup.instead && { instead: setup.instead }),
    stdout: (text) => lines.push(...text.split('\n').filter((line) => line !== '')),
  });
  await gateway.settled();

  async function close(): Promise<void> {
    await gateway.drain(0);
    await gateway.close();
    await owned.disposeAsync();
  }

  function open(app: App, maxBodyBytes: number): string {
    const listener = listen(app, { host: '127.0.0.1', port: 0 }, maxBodyBytes);
    owned.defer(() => listener.close());
    return `http://127.0.0.1:${listener.port}`;
  }
  const records = () => lines.map((line): unknown => JSON.parse(line)).filter(isJsonObject);

  return {
    gateway,
    issuer,
    folder,
    clock,
    backends,
    logged,
    backend(id) {
      const backend = backends.get(id);
      if (backend === undefined) throw new Error(`there is no backend ${id}`);
      return backend;
    },
    caller: async (claims, via) =>
      createCaller(await issuer.mint(claims), via ?? (async (request) => gateway.fetch(request))),
    fetch: async (path, init) => gateway.fetch(new Request(`http://127.0.0.1:3213${path}`, init)),
    async calls(count, which = () => true) {
      for (let waited = 0; waited < 5_000; waited += 10) {
        const found = records().filter((record) => record.kind === 'call' && which(record));
        if (found.length >= count) return found;
        await sleep(10);
      }
      throw new Error(`fewer than ${count} records: ${lines.join('\n')}`);
    },
    async operate(name, input = {}) {
      const operation = gateway.operations[name];
      if (operation === undefined) throw new Error(`there is no operation ${name}`);
      return operation.run(input, 'test');
    },
    acts: () => records().filter(({ kind }) => kind === 'admin' || kind === 'reveal'),
    listen: () => open(gateway, 4 * 1024 * 1024),
    listenAdmin: () => open(gateway.admin, limits.maxOperationBytes),
    reload: async (wanted, config = {}) => gateway.reload(await load(wanted, config)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The folder where a gateway of these tests keeps its generated keys. */
export function keysFolder(folder: TempFolder): string {
  return join(folder.path, 'keys');
}
