import { randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { Store } from '#store/store.ts';
import type { Grant, GrantOwner, Grants } from '../grant.ts';
import { authorizationUrl } from './authorization-url.ts';
import { createBegunLinks } from './begun-links.ts';
import type { LinkClient } from './client-authentication.ts';
import { discoverProvider, type Provider } from './discovery.ts';
import type { EgressOptions } from './egress.ts';
import { createLinkClients } from './link-clients.ts';
import { type LinkFailure, linkFailure } from './link-failure.ts';
import { createLinkFlows } from './link-flows.ts';
import { scopesToAsk } from './link-scopes.ts';
import type { LinkedServer } from './linked-server.ts';
import type { LinkingEngine } from './linking-engine.ts';
import { createNeededScopes } from './needed-scopes.ts';
import { providerLimits } from './provider-limits.ts';
import { createProviders } from './providers.ts';
import { revoke } from './revoke.ts';
import { redeem, refreshTokens } from './token-requests.ts';

export interface LinkingEngineDeps {
  /** Undefined: no such server, or not one with linked accounts. Read at each use: the configuration may change. */
  readonly server: (id: string) => LinkedServer | undefined;
  /** The canonical URL of the gateway. */
  readonly gatewayUrl: string;
  readonly clientName: string;
  /** Where the metadata document of a server's client is; served by the gateway unless given. */
  readonly documentUrl?: (server: string) => string;
  readonly grants: Grants;
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  readonly egress?: EgressOptions;
  /** Of each request to a provider; ten seconds unless given. */
  readonly timeoutMs?: number;
}

export function createLinkingEngine(deps: LinkingEngineDeps): LinkingEngine {
  const { grants, clock, log } = deps;
  const clients = createLinkClients(deps);
  const flows = createLinkFlows(deps);
  const needed = createNeededScopes(clock);
  const mayBegin = createBegunLinks(clock);
  const providers = createProviders({
    ...deps,
    timeoutMs: deps.timeoutMs ?? providerLimits.requestTimeoutMs,
  });

  function fail(server: string, failure: LinkFailure): Result<never, LinkFailure> {
    const { reason, code, detail } = failure;
    log.warn('link.failed', { server, reason, code, detail });
    return err(failure);
  }

  async function pageFor(
    input: Parameters<LinkingEngine['begin']>[0],
    server: LinkedServer,
    provider: Provider,
    client: LinkClient,
  ): Promise<string> {
    const { metadata } = provider;
    const held = await grants.get(input.owner, input.server);
    const scopes = scopesToAsk({
      challenged: provider.challengedScopes,
      published: provider.resourceScopes,
      configured: server.oauthScopes,
      granted: held?.grant.issuer === metadata.issuer ? held.grant.scopes : [],
      needed: [...(input.scopes ?? []), ...needed.list(input.owner, input.server)],
      supported: metadata.scopes_supported,
    });
    const resource = server.sendsResource ? provider.resource : undefined;
    const verifier = randomBytes(32).toString('base64url');
    const flow = { stage: 'begun', metadata, clientId: client.id, verifier, resource, scopes } as const;
    const state = await flows.add(input, flow);

    return authorizationUrl(metadata, {
      clientId: client.id,
      redirectUri: clients.redirectUri(input.server),
      state,
      verifier,
      scopes,
      resource,
    });
  }

  /** What a stored grant was made with, as it is today. */
  async function partsOf(id: string, grant: Grant) {
    const server = deps.server(id);
    if (server === undefined) return err(linkFailure('unknown_server'));
    const metadata = await providers.metadata(id, server, grant.issuer);
    if (!metadata.ok) return metadata;
    const client = await clients.find(id, server, metadata.value, grant.clientId);
    if (client === undefined)
      return err(linkFailure('no_registration', { detail: grant.clientId.slice(0, 200) }));
    return ok({ metadata: metadata.value, client, reach: providers.reach(id, server) });
  }

  async function revokeGrant(id: string, grant: Grant): Promise<boolean> {
    try {
      const parts = await partsOf(id, grant);
      if (!parts.ok) return false;
      return await revoke(grant, parts.value.metadata, parts.value.client, parts.value.reach);
    } catch (error) {
      // Whatever it is: it must not keep a link that the user takes back.
      log.error('link.revoke_failed', {
        server: id,
        error: error instanceof Error ? error.message : 'unknown',
      });
      return false;
    }
  }

  return {
    async begin(input) {
      const server = deps.server(input.server);
      if (server === undefined) return fail(input.server, linkFailure('unknown_server'));
      if (!mayBegin(input.owner)) return fail(input.server, linkFailure('too_many'));
      const reach = providers.reach(input.server, server);
      const provider = await discoverProvider(server, reach);
      if (!provider.ok) return fail(input.server, provider.error);
      const { metadata } = provider.value;
      if (metadata.code_challenge_methods_supported?.includes('S256') !== true && !server.allowWithoutS256) {
        return fail(input.server, linkFailure('without_s256', { detail: metadata.issuer }));
      }
      const page = URL.parse(metadata.authorization_endpoint);
      if (page === null || !reach.egress.maySend(page)) {
        return fail(input.server, linkFailure('endpoint_refused', { detail: metadata.issuer }));
      }
      const client = await clients.obtain(input.server, server, metadata, reach);
      if (!client.ok) return fail(input.server, client.error);
      const url = await pageFor(input, server, provider.value, client.value);
      return ok({ authorizeUrl: url, provider: hostOf(metadata.issuer) });
    },

    async callback(input) {
      const answer = URL.parse(input.url)?.searchParams ?? new URLSearchParams();
      const states = answer.getAll('state');
      const [state] = states;
      if (state === undefined || states.length > 1) return fail(input.server, linkFailure('answer_invalid'));
      const flow = await flows.take(state, input, 'begun');
      if (!flow.ok) {
        return fail(input.server, linkFailure(flow.error === 'another' ? 'flow_of_another' : 'flow_unknown'));
      }
      const { metadata, clientId } = flow.value;
      const server = deps.server(input.server);
      if (server === undefined) return fail(input.server, linkFailure('unknown_server'));
      const client = await clients.find(input.server, server, metadata, clientId);
      if (client === undefined)
        return fail(input.server, linkFailure('flow_unknown', { detail: 'the client is gone' }));
      const reach = providers.reach(input.server, server);
      const redirectUri = clients.redirectUri(input.server);
      const grant = await redeem(flow.value, answer, redirectUri, { metadata, client, reach, clock });
      if (!grant.ok) {
        if (grant.error.code === 'invalid_client') await clients.forget(input.server, metadata.issuer);
        return fail(input.server, grant.error);
      }
      const { account, scopes, issuer } = grant.value;
      const next = await flows.add(input, { stage: 'answered', grant: grant.value });
      return ok({ flow: next, account, scopes, provider: hostOf(issuer) });
    },

    async confirm(input) {
      const flow = await flows.take(input.flow, input, 'answered');
      if (!flow.ok) {
        return fail(input.server, linkFailure(flow.error === 'another' ? 'flow_of_another' : 'flow_unknown'));
      }
      if (deps.server(input.server) === undefined) return fail(input.server, linkFailure('unknown_server'));
      const stored = await grants.put(input.owner, input.server, flow.value.grant);
      needed.asked(input.owner, input.server);
      const { account, scopes, issuer, linkedAt, expiresAt } = stored.grant;
      const { isDead, lastUsedAt } = stored;
      return ok({ server: input.server, account, scopes, issuer, linkedAt, lastUsedAt, expiresAt, isDead });
    },

    async unlink(owner, server) {
      const held = await grants.get(owner, server);
      if (held === undefined) return err(linkFailure('not_linked'));
      let wasRevoked = await revokeGrant(server, held.grant);
      const removed = await grants.remove(owner, server);
      // A refresh in between leaves tokens that the first revocation did not name.
      if (removed !== undefined && removed.generation !== held.generation) {
        wasRevoked = await revokeGrant(server, removed.grant);
      }
      if (!wasRevoked) log.warn('link.not_revoked', { server, issuer: held.grant.issuer });
      return ok({ wasRevoked });
    },

    async refresh(server, grant) {
      const settings = deps.server(server);
      if (settings?.issuer !== undefined && settings.issuer !== grant.issuer) return err('invalid_grant');
      const parts = await partsOf(server, grant);
      if (!parts.ok) {
        log.warn('link.refresh_failed', { server, reason: parts.error.reason, detail: parts.error.detail });
        return err(parts.error.reason === 'no_registration' ? 'invalid_grant' : 'unavailable');
      }
      const refreshed = await refreshTokens(grant, { ...parts.value, clock });
      if (refreshed.ok) return refreshed;
      const { kind, code, detail } = refreshed.error;
      log.warn('link.refresh_failed', { server, reason: kind, code: code?.slice(0, 64), detail });
      // A registration that is gone does not come back; a configured client the operator may yet mend.
      if (code === 'invalid_client' && parts.value.client.source === 'registered') {
        await clients.forget(server, grant.issuer);
        return err('invalid_grant');
      }
      return err(code !== undefined && deadCodes.has(code) ? 'invalid_grant' : 'unavailable');
    },

    revoke: revokeGrant,
    needsScopes: (owner: GrantOwner, server, scopes) => needed.add(owner, server, scopes),
    clientDocument: clients.document,
    close: () => providers.close(),
  };
}

/** RFC 6749 section 5.2, and what GitHub says in its place. */
const deadCodes = new Set(['invalid_grant', 'bad_refresh_token']);

function hostOf(issuer: string): string {
  return URL.parse(issuer)?.host ?? issuer;
}
