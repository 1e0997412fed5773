import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answerOperation } from './answer-operation.ts';
import type { Operations } from './operation.ts';

/** Who acts is whoever may open the socket: this user, or root. */
const actor = 'local';

export interface Control {
  close(): Promise<void>;
}

/**
 * Opens the control socket, where commands on the same machine may ask every operation: HTTP on a Unix socket of mode 0600, so that only this user and root can connect; it is made
 * in a folder of its own (0700) and moved to its place, so that it never stands open. A file that lies there is
 * replaced: whether another gateway answers behind it is the caller's to ask.
 */
export function openControl(path: string, operations: Operations): Control {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const cradle = mkdtempSync(join(dirname(path), '.control-'));
  const made = join(cradle, 's');
  const server = Bun.serve({
    unix: made,
    fetch(request) {
      const operation = operations[`${request.method} ${new URL(request.url).pathname}`];
      return operation === undefined
        ? Response.json({ error: 'not_found' }, { status: 404 })
        : answerOperation(operation, request, actor);
    },
  });
  chmodSync(made, 0o600);
  renameSync(made, path);
  rmdirSync(cradle);
  const own = statSync(path).ino;
  return {
    async close() {
      await server.stop(true);
      // Another gateway that started at the same moment may have put its own socket here.
      if (statSync(path, { throwIfNoEntry: false })?.ino === own) rmSync(path, { force: true });
    },
  };
}
