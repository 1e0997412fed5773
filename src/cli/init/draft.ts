import type { IssuerConfig } from '#config/config.ts';

/** What `cortex init` is going to write, in the words of the configuration. */
export interface Draft {
  readonly url: string;
  readonly listen: string;
  readonly name: string | undefined;
  readonly issuer: DraftIssuer;
  /** The largest first: the first whose scopes are all held is a caller's plan. */
  readonly plans: ReadonlyMap<string, readonly string[]>;
  /** Id -> url. */
  readonly backends: ReadonlyMap<string, string>;
  /** Third parties' MCP servers: id -> url. */
  readonly servers: ReadonlyMap<string, string>;
  /** The variable with the secret that the backends know already. Undefined: each gets one of its own, in a file. */
  readonly technicalTokenVariable: string | undefined;
  /** Plain http outside this machine is wanted. */
  readonly allowsHttp: boolean;
}

export interface DraftIssuer {
  readonly url: string;
  readonly preset: IssuerConfig['preset'];
  /** Empty: the gateway's URL. */
  readonly audience: readonly string[];
  /** Empty: any client. */
  readonly clients: readonly string[];
}

/** Where a backend's own secret lies, from the configuration's folder. */
export function secretFile(id: string): string {
  return `secrets/${id}.token`;
}
