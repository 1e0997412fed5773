import type { AuthorizationServerOptions } from '#demo/authorization-server/options.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Demo, startDemo } from './demo-fixture.ts';

export interface ListeningDemo {
  readonly demo: Demo;
  readonly issuer: string;
  /** A protected resource that only publishes its metadata (RFC 9728). */
  readonly resource: string;
  /** Clients' metadata documents by URL, as if they lay there. */
  readonly documents: Map<string, unknown>;
  close(): void;
}

/** The authorization server on a real socket, in front of a resource, with the real clock. */
export async function listen(overrides: Partial<AuthorizationServerOptions> = {}): Promise<ListeningDemo> {
  let demo: Demo | undefined;
  const documents = new Map<string, unknown>();
  const authorization = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: (request, server) =>
      demo?.server.fetch(request, server.requestIP(request)?.address ?? 'unknown') ??
      new Response(null, { status: 503 }),
  });
  const issuer = authorization.url.origin;
  const gateway = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) =>
      new URL(request.url).pathname === '/.well-known/oauth-protected-resource/mcp'
        ? Response.json({ resource: `${new URL(request.url).origin}/mcp`, authorization_servers: [issuer] })
        : new Response(null, { status: 404 }),
  });
  const resource = `${gateway.url.origin}/mcp`;
  demo = await startDemo({
    issuer,
    resources: [resource],
    clock: systemClock,
    fetchDocument: async (url) => ({
      ok: true,
      value: { body: documents.get(url), maxAgeSeconds: undefined },
    }),
    ...overrides,
  });
  const started = demo;
  return {
    demo: started,
    issuer,
    resource,
    documents,
    close() {
      started.server.close();
      for (const server of [authorization, gateway]) server.stop(true);
    },
  };
}
