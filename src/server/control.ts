import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

/** What commands on the same machine may ask a running gateway: `GET /catalog`, `POST /reload`, ... */
export type ControlHandlers = Readonly<Record<string, (request: Request) => Response | Promise<Response>>>;

export interface Control {
  close(): Promise<void>;
}

/**
 * Opens the control socket: HTTP on a Unix socket of mode 0600 in a folder of mode 0700, so that only this user (and
 * root) can connect. A file that lies there is replaced: whether another gateway answers behind it is the caller's to ask.
 */
export function openControl(path: string, handlers: ControlHandlers): Control {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const mask = process.umask(0o177);
  try {
    const server = Bun.serve({
      unix: path,
      fetch(request) {
        const handler = handlers[`${request.method} ${new URL(request.url).pathname}`];
        return handler === undefined
          ? Response.json({ error: 'not_found' }, { status: 404 })
          : handler(request);
      },
    });
    chmodSync(path, 0o600);
    return {
      async close() {
        await server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } finally {
    process.umask(mask);
  }
}
