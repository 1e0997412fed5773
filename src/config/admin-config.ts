import type { Secret } from '#kernel/secret.ts';
import type { ListenAddress } from './config.ts';

/** The operators' listener. */
export interface AdminConfig {
  /** Undefined: there is none. */
  readonly listen: ListenAddress | undefined;
  /** Names, beside loopback's and the listener's own, that its `Host` may be. In lower case, without port. */
  readonly hosts: readonly string[];
  /** By the name that the audit gives their holder; in the order of the file. */
  readonly tokens: ReadonlyMap<string, AdminToken>;
}

export interface AdminToken {
  readonly token: Secret;
  readonly role: 'read' | 'operate' | 'reveal';
}
