import type { BackendId } from '#kernel/ids.ts';
import type { Secret } from '#kernel/secret.ts';
import type { ClientConfig } from './config.ts';

/** One third party's MCP server. */
export interface ServerConfig {
  readonly id: BackendId;
  readonly endpoint: ServerEndpoint;
  /** With a command, never `linked`. */
  readonly identity: 'linked' | 'none' | 'static';
  /** What everybody's calls are made with; with `static` and a URL always there. */
  readonly token: Secret | undefined;
  readonly scopes: ServerScopes;
  /** Before each public name; may be empty. */
  readonly prefix: string;
  /** Globs over the server's own tool names. Empty `include`: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly timeoutMs: number;
  readonly maxConnections: number;
  readonly maxResultBytes: number;
  /** `shared`: everybody sees one list; `private`: each their own. */
  readonly list: 'private' | 'shared';
  readonly uris: 'rewrite' | 'keep';
  readonly linking: LinkingConfig;
}

export type ServerEndpoint =
  | { readonly kind: 'url'; readonly url: string; readonly allowHttp: boolean }
  | {
      readonly kind: 'command';
      /** The program, then its arguments; no shell. */
      readonly command: readonly [string, ...string[]];
      /** Its whole environment, but for PATH. */
      readonly env: ReadonlyMap<string, Secret>;
      readonly cwd: string | undefined;
      /** One child for everybody, or one for each principal. */
      readonly process: 'shared' | 'principal';
    };

/** What a caller's token must hold; never empty, so nothing is anybody's by mistake. */
export interface ServerScopes {
  readonly default: readonly string[];
  /** Glob over the server's own tool names -> scopes, in place of the default; the first that matches counts. */
  readonly tools: ReadonlyMap<string, readonly string[]>;
}

/** How accounts of this server are linked. */
export interface LinkingConfig {
  /** Undefined: the gateway introduces itself. */
  readonly client: ClientConfig | undefined;
  /** The authorization server. Undefined: found by discovery. */
  readonly issuer: string | undefined;
  /** What is asked for. Undefined: what the server asks for. */
  readonly oauthScopes: readonly string[] | undefined;
  /** Sends `resource` (RFC 8707). */
  readonly sendsResource: boolean;
  /** The authorization server need not say that it knows S256. */
  readonly allowWithoutS256: boolean;
  /** Private hosts and ranges that discovered addresses may lead to. */
  readonly allowPrivate: readonly string[];
  /** The subject whose linked account lists what everybody sees. */
  readonly catalogSubject: string | undefined;
}
