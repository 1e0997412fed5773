import { showIssue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { createGateway, type Gateway, type GatewayDeps } from '#gateway.ts';
import { type LogFields, silentLog } from '#kernel/log.ts';
import { resourceServer } from '../../demo/demo-fixture.ts';
import { writeConfig } from '../../support/config-file.ts';
import type { MovingClock } from '../../support/moving-clock.ts';
import { canonicalUrl } from '../../support/running-gateway.ts';
import type { TempFolder } from '../../support/temp-folder.ts';
import { foreignIn, type Owner, owners } from './canary.ts';
import { scopes, type ThirdParties, technicalToken } from './third-parties.ts';

/** The real gateway, each of whose answers is searched for what belongs to somebody else. */
export interface WatchedGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  /** What was found, one line each. */
  readonly leaks: string[];
  /** What is being done, for the lines above. */
  doing: string;
  /** Answers searched so far, chunks of streams among them. */
  readonly searched: number;
  /** Texts that only their owner may see, beside its canaries: subjects and tokens. */
  readonly own: Map<Owner, Set<string>>;
  readonly logged: readonly string[];
  fetchAs(owner: Owner, request: Request): Promise<Response>;
  restart(): Promise<void>;
}

export async function startWatchedGateway(setup: {
  readonly parties: ThirdParties;
  readonly folder: TempFolder;
  readonly clock: MovingClock;
  readonly instead: GatewayDeps['instead'];
}): Promise<WatchedGateway> {
  const { parties, folder, clock, instead } = setup;
  const leaks: string[] = [];
  const logged: string[] = [];
  const own = new Map(owners.map((owner): [Owner, Set<string>] => [owner, new Set()]));
  const state = { doing: 'start', searched: 0 };
  let gateway = await start();

  async function start(): Promise<Gateway> {
    const backend = (url: string) => ({ url, technical_token: technicalToken });
    const sections = {
      gateway: { url: canonicalUrl, listen: '127.0.0.1:0' },
      auth: {
        issuers: [
          {
            url: parties.ours.issuer,
            exchange: { client_id: resourceServer.clientId, client_secret: resourceServer.secret.reveal() },
          },
          { url: parties.other.url },
        ],
        challenge_scopes: Object.keys(scopes),
      },
      backends: {
        notes: backend(parties.urls.notes),
        billing: backend(parties.urls.billing),
        asserted: { ...backend(parties.ledgers.asserted.url), identity: 'assert' },
        exchanged: {
          ...backend(parties.ledgers.exchanged.url),
          identity: 'exchange',
          token_audience: parties.ledgers.exchanged.url,
        },
      },
      servers: {
        board: { url: parties.board.url, scopes: { default: 'mcp:board' } },
        calendar: { url: parties.calendar.url, scopes: { default: 'mcp:calendar' } },
      },
      limits: { calls_per_minute: 0, streams_per_principal: 8 },
    };
    const loaded = await loadConfig({
      cwd: folder.path,
      environment: { HOME: folder.path },
      file: await writeConfig(folder.path, sections),
      flags: {},
      mayExpandSecrets: true,
    });
    if (!loaded.ok) throw new Error(loaded.error.issues.map((one) => showIssue(one, folder.path)).join('\n'));
    const note = (event: string, fields?: LogFields) =>
      void logged.push(`${state.doing}: ${event} ${JSON.stringify(fields)}`);
    const log = { ...silentLog, info: note, warn: note, error: note };
    const deps = { log, clock, version: '0.0.0-test', stdout: () => {}, ...(instead && { instead }) };
    const made = await createGateway(loaded.value.config, deps);
    await made.settled();
    return made;
  }

  function search(owner: Owner, where: string, text: string): void {
    state.searched += 1;
    const foreign = foreignIn(text, owner) ?? ownOfOthers(text, owner);
    if (foreign === undefined) return;
    const at = text.indexOf(foreign);
    const around = at < 0 ? '' : `: ${text.slice(Math.max(0, at - 80), at + 120)}`;
    leaks.push(`${state.doing}: ${owner} found ${foreign.slice(0, 60)} in ${where}${around}`);
  }
  function ownOfOthers(text: string, owner: Owner): string | undefined {
    const mine = own.get(owner);
    for (const [other, values] of own) {
      if (other === owner) continue;
      for (const value of values) if (text.includes(value) && !mine?.has(value)) return value;
    }
    return undefined;
  }

  /** What is read of it is searched as it comes, over the seams of its chunks. */
  function searchedStream(owner: Owner, where: string, response: Response): Response {
    const decoder = new TextDecoder();
    let tail = '';
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const text = tail + decoder.decode(chunk, { stream: true });
        search(owner, `the stream of ${where}`, text);
        tail = text.slice(-100);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(watch) ?? null, response);
  }

  return {
    get gateway() {
      return gateway;
    },
    leaks,
    logged,
    own,
    get doing() {
      return state.doing;
    },
    set doing(now) {
      state.doing = now;
    },
    get searched() {
      return state.searched;
    },
    async fetchAs(owner, request) {
      const where = `${request.method} ${new URL(request.url).pathname}`;
      const response = await gateway.fetch(request);
      search(owner, `the headers of ${where}`, JSON.stringify([...response.headers]));
      if (response.headers.get('content-type') === 'text/event-stream')
        return searchedStream(owner, where, response);
      const text = await response.text();
      search(owner, where, text);
      return new Response(text === '' ? null : text, response);
    },
    async restart() {
      await gateway.drain(0);
      await gateway.close();
      gateway = await start();
    },
    async [Symbol.asyncDispose]() {
      await gateway.drain(0);
      await gateway.close();
    },
  };
}
