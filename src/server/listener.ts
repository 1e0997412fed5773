import type { App } from './app.ts';
import { withSafeHeaders } from './safe-headers.ts';

/** The bound socket. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Accepts nothing more, lets answers that are being sent get out, then closes whatever is still open. */
  close(): Promise<void>;
}

const flushMs = 2_000;
const stepMs = 10;

/** Binds `app` to an address; throws where it cannot. Port 0 takes a free one. */
export function listen(
  app: App,
  address: { readonly host: string; readonly port: number },
  maxRequestBodyBytes: number,
): Listener {
  const server = Bun.serve({
    hostname: address.host,
    port: address.port,
    // Larger than what the gateway itself refuses, so that the refusal is its own.
    maxRequestBodySize: maxRequestBodyBytes * 2,
    idleTimeout: 60,
    fetch: (request, self) =>
      app.fetch(request, {
        address: () => self.requestIP(request)?.address,
        keepOpen: () => self.timeout(request, 0),
      }),
    error: () => withSafeHeaders(Response.json({ error: 'internal_error' }, { status: 500 })),
  });
  return {
    host: address.host,
    port: server.port ?? address.port,
    async close() {
      void server.stop(false);
      for (let waitedMs = 0; server.pendingRequests > 0 && waitedMs < flushMs; waitedMs += stepMs) {
        await Bun.sleep(stepMs);
      }
      await server.stop(true);
    },
  };
}
