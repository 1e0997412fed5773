import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Mailer } from '../mailer.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Browsers } from './browser.ts';
import type { Clients } from './clients.ts';
import type { Grants } from './grants.ts';
import type { ServerLimits } from './options.ts';
import type { RevocationFeed } from './revocation-feed.ts';
import type { Revocations } from './revocations.ts';
import type { ScopeRules } from './scopes.ts';
import type { SignInLinks } from './sign-in-links.ts';
import type { SigningKey } from './signing-key.ts';
import type { Users } from './users.ts';

/** The parts that endpoints are made of; `create-authorization-server.ts` builds them once. */
export interface Parts {
  readonly issuer: string;
  readonly resources: readonly string[];
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly mailer: Mailer;
  readonly scopes: ScopeRules;
  readonly users: Users;
  readonly clients: Clients;
  readonly grants: Grants;
  readonly links: SignInLinks;
  readonly browsers: Browsers;
  readonly tokens: AccessTokens;
  readonly key: SigningKey;
  readonly feed: RevocationFeed;
  readonly revocations: Revocations;
  readonly readsDocuments: boolean;
}

export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The peer's address, as the caller of `fetch` knows it. */
  readonly address: string;
}

/** One method of one path. */
export type Endpoint = (call: Call) => Response | Promise<Response>;
