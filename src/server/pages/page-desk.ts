import type { Deniable } from '#auth/denied.ts';
import type { SignIn } from '#auth/sign-in.ts';
import type { Limiter } from '#cluster/limiter.ts';
import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { GrantOwner, Grants } from '#vault/grant.ts';
import type { LinkTickets } from '#vault/link-tickets.ts';
import type { LinkingEngine } from '#vault/linking/linking-engine.ts';
import type { Connection } from '../connection.ts';
import type { RecentCall } from './accounts-page.ts';
import type { LinkableServer } from './linkable-server.ts';
import { type Message, messagePage } from './message-page.ts';
import { type PageAnswer, pageAnswer } from './page-answer.ts';
import { createVisitors, type PageSession, type Visitor, type Visitors } from './visitors.ts';

export interface PeoplePagesDeps {
  readonly gateway: () => { readonly url: string; readonly name: string };
  /** Those that are linked by each user; replaced by a reload. */
  readonly servers: () => readonly LinkableServer[];
  readonly signIn: SignIn;
  readonly isKnownIssuer: (issuer: string) => boolean;
  readonly isDenied: (token: Deniable) => boolean;
  readonly linking: Pick<LinkingEngine, 'begin' | 'callback' | 'confirm' | 'unlink'>;
  readonly grants: Pick<Grants, 'list'>;
  readonly tickets: LinkTickets;
  /** The owner's own calls, newest first. */
  readonly recentCalls: (owner: GrantOwner, count: number) => Promise<readonly RecentCall[]>;
  /** Whether the audit admits an act now: what cannot be recorded is not done. */
  readonly mayRecord: () => boolean;
  /** One record of kind `link`, under the owner's pseudonym. */
  readonly record: (owner: GrantOwner, fields: JsonObject) => Promise<boolean>;
  /** What the owner sees of the server has to be read anew. */
  readonly linkingChanged: (server: string, owner: GrantOwner) => void;
  /** As at `/mcp`; the error is the answer. */
  readonly authenticate: (request: Request) => Promise<Result<Principal, Response>>;
  /** Strangers fill it: of its own. */
  readonly limiter: Limiter;
  /** The network a request comes from; undefined where nobody knows. */
  readonly networkOf: (request: Request, connection: Connection | undefined) => string | undefined;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
}

/** What every page needs, made once. */
export interface PageDesk extends PeoplePagesDeps {
  readonly visitors: Visitors;
  origin(): string;
  server(id: string): LinkableServer | undefined;
  mayUse(session: PageSession, server: LinkableServer): boolean;
  page(visitor: Visitor, html: string, answer?: PageAnswer): Response;
  message(visitor: Visitor, message: Message, status?: number, cookies?: readonly string[]): Response;
  /** The answer while the audit admits no act. */
  notRecordable(visitor: Visitor): Response;
  /** Asks to sign in; `next` is where the person goes on. */
  signInFirst(visitor: Visitor, next: string, text: readonly string[], status?: number): Response;
}

export function createPageDesk(deps: PeoplePagesDeps): PageDesk {
  const origin = () => originOf(deps.gateway().url);
  const page: PageDesk['page'] = (visitor, html, answer = {}) =>
    pageAnswer(origin(), html, { ...answer, cookies: [...visitor.cookies, ...(answer.cookies ?? [])] });
  const message: PageDesk['message'] = (visitor, content, status = 200, cookies = []) =>
    page(visitor, messagePage(deps.gateway().name, content), { status, cookies });
  return {
    ...deps,
    visitors: createVisitors({
      origin,
      isKnownIssuer: deps.isKnownIssuer,
      isDenied: deps.isDenied,
      sealer: deps.sealer,
      clock: deps.clock,
    }),
    origin,
    server: (id) => deps.servers().find((server) => server.id === id),
    mayUse: (session, { defaultScopes }) =>
      defaultScopes.length > 0 && defaultScopes.every((scope) => session.scopes.has(scope)),
    page,
    message,
    notRecordable: (visitor) =>
      message(
        visitor,
        {
          title: 'Not right now',
          text: [
            'The gateway cannot write down what it does at the moment, so nothing was changed. Try again later.',
          ],
          next: { label: 'Your accounts', href: '/link' },
        },
        503,
      ),
    signInFirst(visitor, next, text, status = 200) {
      // At the canonical origin: where the callback will look for this browser's cookie.
      const href = `${origin()}/sign-in?${new URLSearchParams({ next })}`;
      return message(visitor, { title: 'Sign in first', text, next: { label: 'Sign in', href } }, status);
    },
  };
}

/** Cut as text: the canonical URL is never rebuilt. */
function originOf(url: string): string {
  const pathAt = url.indexOf('/', url.indexOf('://') + 3);
  return pathAt === -1 ? url : url.slice(0, pathAt);
}
