import { randomId } from '#kernel/ids.ts';
import { err, ok } from '#kernel/result.ts';
import type { GrantOwner, GrantSummary } from '#vault/grant.ts';
import { type LinkFailure, linkFailure } from '#vault/linking/link-failure.ts';
import type { LinkingEngine } from '#vault/linking/linking-engine.ts';

interface Flow {
  readonly owner: GrantOwner;
  readonly server: string;
  readonly browser: string;
  readonly id: string;
}

/** A provider on a socket of its own, and linking as simple as its promises allow. */
export interface FakeProvider extends AsyncDisposable {
  readonly linking: Pick<LinkingEngine, 'begin' | 'callback' | 'confirm' | 'unlink'>;
  readonly origin: string;
  /** By the owner's key and the server. */
  readonly grants: Map<string, GrantSummary>;
  /** How often `begin`, `callback` and `confirm` were asked. */
  readonly asked: string[];
  /** What the provider will say next. */
  account: string | undefined;
  scopes: readonly string[];
  revokes: boolean;
  refuses: LinkFailure | undefined;
}

export function startProvider(gatewayOrigin: () => string): FakeProvider {
  const flows = new Map<string, Flow>();
  const confirmable = new Map<string, Flow>();
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const url = new URL(request.url);
      const state = url.searchParams.get('state') ?? '';
      const back = `${gatewayOrigin()}/link/${flows.get(state)?.server ?? 'linear'}/callback`;
      if (url.pathname === '/answer') {
        const location = `${back}?code=the-code&state=${state}`;
        return new Response(null, { status: 303, headers: { location } });
      }
      // A provider that leads on to a place of its own, as many do.
      if (url.pathname === '/authorize') {
        return new Response(null, { status: 303, headers: { location: `/login?state=${state}` } });
      }
      const html = `<!doctype html><html lang="en"><title>Provider</title><h1>Allow the gateway?</h1>
<form action="/answer"><input type="hidden" name="state" value="${state}"><button>Allow</button></form></html>`;
      return new Response(html, { headers: { 'content-type': 'text/html' } });
    },
  });
  const keyOf = (owner: GrantOwner, name: string) => `${owner.key} ${name}`;
  const isSame = (flow: Flow | undefined, of: Omit<Flow, 'id'>): flow is Flow =>
    flow !== undefined &&
    flow.owner.key === of.owner.key &&
    flow.server === of.server &&
    flow.browser === of.browser;
  const another = linkFailure('flow_of_another');

  const provider: FakeProvider = {
    grants: new Map(),
    asked: [],
    account: 'ada@linear.example',
    scopes: ['read', 'issues:create'],
    revokes: true,
    refuses: undefined,
    origin: server.url.origin,
    linking: {
      async begin(input) {
        provider.asked.push('begin');
        if (provider.refuses !== undefined) return err(provider.refuses);
        const id = randomId();
        flows.set(id, { ...input, id });
        return ok({ authorizeUrl: `${server.url.origin}/authorize?state=${id}`, provider: server.url.host });
      },
      async callback({ url, ...of }) {
        provider.asked.push('callback');
        const id = new URL(url).searchParams.get('state') ?? '';
        const flow = flows.get(id);
        if (!isSame(flow, of)) return err(another);
        flows.delete(id);
        const code = new URL(url).searchParams.get('error');
        if (code !== null)
          return err({ ...linkFailure('provider_refused'), message: `The provider refused. (${code})` });
        confirmable.set(id, flow);
        return ok({
          flow: id,
          account: provider.account,
          scopes: provider.scopes,
          provider: server.url.host,
        });
      },
      async confirm({ flow: id, ...of }) {
        provider.asked.push('confirm');
        const flow = confirmable.get(id);
        if (!isSame(flow, of)) return err(another);
        confirmable.delete(id);
        const summary: GrantSummary = {
          server: of.server,
          account: provider.account,
          scopes: provider.scopes,
          issuer: server.url.origin,
          linkedAt: Date.now(),
          lastUsedAt: undefined,
          expiresAt: undefined,
          isDead: false,
        };
        provider.grants.set(keyOf(of.owner, of.server), summary);
        return ok(summary);
      },
      async unlink(owner, name) {
        if (!provider.grants.delete(keyOf(owner, name))) return err(linkFailure('not_linked'));
        return ok({ wasRevoked: provider.revokes });
      },
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
  return provider;
}
