import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { discoverJwksUri, type FetchJson } from './discovery.ts';
import { type KeySet, parseKeySet } from './key-set.ts';
import type { AcceptedHeader } from './peek-token.ts';

/** One issuer's keys, fetched on first use and kept fresh. */
export interface IssuerKeys {
  /**
   * The keys a token's header may mean. An unknown `kid` fetches the set again, at most once per cooldown; the last
   * good keys are served while the issuer is down.
   */
  candidates(
    header: AcceptedHeader,
  ): Promise<Result<readonly CryptoKey[], 'keys_unavailable' | 'key_unknown' | 'key_unusable'>>;
  /** Fetches again a set that is in use, within the cooldown. */
  refresh(): Promise<void>;
  /** Forgets everything: the next token starts from discovery. */
  flush(): void;
  /** Aborts a fetch under way; afterwards nothing is fetched. */
  close(): void;
}

export interface IssuerKeysDeps {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a set replaces one with other keys: what the old ones verified is to be verified again. */
  readonly onKeysChanged: () => void;
}

interface LoadedKeys {
  readonly keys: KeySet;
  readonly loadedAt: number;
}

export function createIssuerKeys(deps: IssuerKeysDeps): IssuerKeys {
  const { issuer, clock, log } = deps;
  const closed = new AbortController();
  let loaded: LoadedKeys | undefined;
  let jwksUri = deps.jwksUri;
  let lastAttemptAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  let generation = 0;

  /** The last good keys, unless the issuer has been out of reach for too long. */
  function servable(): LoadedKeys | undefined {
    if (loaded === undefined || clock.monotonic() - loaded.loadedAt > limits.jwksStaleIfErrorMs)
      return undefined;
    return loaded;
  }

  /** Every fetch goes through here: one at a time, and none within the cooldown of the last. */
  function load(): Promise<void> {
    if (underWay !== undefined) return underWay;
    if (closed.signal.aborted || clock.monotonic() - lastAttemptAt < limits.jwksCooldownMs) {
      return Promise.resolve();
    }
    lastAttemptAt = clock.monotonic();
    underWay = attempt(generation);
    return underWay;
  }

  async function attempt(startedIn: number): Promise<void> {
    // A throwing port must not leave `underWay` set for ever.
    const fetched = await fetchKeys().catch((error: unknown) => err(String(error)));
    // A flush in between has disowned this fetch, and a shutdown has aborted it.
    if (startedIn !== generation || closed.signal.aborted) return;
    lastAttemptAt = clock.monotonic();
    underWay = undefined;
    if (!fetched.ok) return miss(fetched.error);
    jwksUri = fetched.value.url;
    keep(fetched.value.keys);
  }

  async function fetchKeys(): Promise<Result<{ url: string; keys: KeySet }, string>> {
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(limits.keyFetchTimeoutMs)]);
    const found = jwksUri === undefined ? await discoverJwksUri(issuer, deps.fetchJson, signal) : ok(jwksUri);
    if (!found.ok) return found;
    const url = found.value;
    const document = await deps.fetchJson(url, signal);
    if (!document.ok) return err(`${url}: ${document.error}`);
    const keys = parseKeySet(document.value);
    return keys.ok ? ok({ url, keys: keys.value }) : err(`${url}: ${keys.error}`);
  }

  function keep(keys: KeySet): void {
    const before = loaded;
    loaded = { keys, loadedAt: clock.monotonic() };
    if (before?.keys.fingerprint === keys.fingerprint) return;
    log.info('auth.keys_loaded', { issuer, keys: keys.size });
    if (before !== undefined) deps.onKeysChanged();
  }

  function miss(error: string): void {
    // Discover again next time: the keys may have moved.
    jwksUri = deps.jwksUri;
    const ageMs = loaded === undefined ? undefined : Math.round(clock.monotonic() - loaded.loadedAt);
    log.error('auth.keys_unavailable', {
      issuer,
      error,
      serving_last_good: servable() !== undefined,
      age_ms: ageMs,
    });
  }

  return {
    async candidates(header) {
      const known = await servable()?.keys.candidates(header);
      if (known !== undefined && (known.ok || known.error !== 'key_unknown')) return known;
      await load();
      return (await servable()?.keys.candidates(header)) ?? err('keys_unavailable');
    },
    async refresh() {
      if (loaded !== undefined) await load();
    },
    flush() {
      generation += 1;
      loaded = undefined;
      underWay = undefined;
      jwksUri = deps.jwksUri;
      lastAttemptAt = Number.NEGATIVE_INFINITY;
    },
    close() {
      closed.abort();
    },
  };
}
