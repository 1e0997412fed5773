import type { AuthOptions, IssuerOptions } from '#auth/options.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';
import type { InspectTls } from '#outbound/inspect-tls.ts';
import type { Probe } from './probe.ts';
import type { ProxyLines, ProxyName } from './proxy-lines.ts';
import type { WatchStream } from './watch-stream.ts';

/**
 * `warning`: some clients, or people, will stumble here. `failed`: nobody gets further. `unreachable`: there was no
 * answer to judge. `skipped`: there is nothing to look at.
 */
export type FindingStatus = 'ok' | 'warning' | 'failed' | 'unreachable' | 'skipped';

export interface Finding {
  readonly status: FindingStatus;
  readonly found: string;
  /** What to do; with everything but `ok` and `skipped`. */
  readonly fix?: string;
  /** What that is in the configuration of a proxy. */
  readonly proxyLines?: readonly ProxyLines[];
  readonly details?: readonly string[];
  /** What later steps may rely on. */
  readonly learned?: Partial<Known>;
}

/** What is known so far. */
export interface Known {
  /** The gateway's URL, as clients have it. */
  readonly url: string;
  /** By the configuration, else by what the gateway says of itself. */
  readonly options: AuthOptions;
  /** The scopes that clients are told to ask for. */
  readonly askedScopes: readonly string[];
  /** Of the gateway's name; empty where they were not asked for. */
  readonly addresses: readonly string[];
  /** The page that connects from a browser; undefined: none does. */
  readonly origin: string | undefined;
  /** Whether that page was named, and not taken as the most likely one. */
  readonly isOriginNamed: boolean;
  /** What stands before the gateway, where it says so. */
  readonly proxy: ProxyName | undefined;
  /** How far the gateway's clock is ahead of this one; undefined where it did not say. */
  readonly gatewayAheadSeconds: number | undefined;
  /** The one that is looked at. */
  readonly issuer: IssuerOptions;
  /** What it says of itself. */
  readonly metadata: JsonObject | undefined;
  /** Its key set, as it came. */
  readonly keySet: JsonObject | undefined;
  /** How far the issuer's clock is ahead of this one; undefined where it did not say. */
  readonly clockAheadSeconds: number | undefined;
  readonly token: string | undefined;
  /** What seems wrong with the token, where only the gateway knows. */
  readonly doubt: Pick<Finding, 'found' | 'fix'> | undefined;
  /** The id of a session of the older protocol. */
  readonly session: string | undefined;
}

export interface StepDeps {
  readonly probe: Probe;
  readonly watch: WatchStream;
  readonly inspectTls: InspectTls;
  /** The addresses of a name; the error is a code such as `ENOTFOUND`. */
  readonly resolve: (host: string) => Promise<Result<readonly string[], string>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For how long a stream is listened to. */
  readonly listenMs: number;
  /** Says what takes long, and why. */
  readonly note: (text: string) => void;
}

/** One thing that a client does, or that is done with its token, and what is looked at. */
export interface Step {
  readonly name: string;
  readonly run: (known: Known, deps: StepDeps) => Finding | Promise<Finding>;
}

export const ok = (found: string, more: Partial<Finding> = {}): Finding => ({ status: 'ok', found, ...more });
export const skipped = (found: string): Finding => ({ status: 'skipped', found });
export const warn = (found: string, fix: string, more: Partial<Finding> = {}): Finding => ({
  status: 'warning',
  found,
  fix,
  ...more,
});
export const fail = (found: string, fix: string, more: Partial<Finding> = {}): Finding => ({
  status: 'failed',
  found,
  fix,
  ...more,
});
export const unreachable = (found: string, fix: string, more: Partial<Finding> = {}): Finding => ({
  status: 'unreachable',
  found,
  fix,
  ...more,
});
