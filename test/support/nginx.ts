import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Nginx extends AsyncDisposable {
  readonly port: number;
}

/** Whether a real nginx is on this machine. */
export const hasNginx = Bun.which('nginx') !== null;

/**
 * A real nginx with this inside of its `http` block, in a folder of its own; resolves once `port` is open. `server` blocks
 * listen on that port.
 */
export async function startNginx(folder: string, port: number, http: string): Promise<Nginx> {
  await mkdir(folder, { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const log = join(folder, 'error.log');
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${log};
events { worker_connections 256; }
http { access_log off; ${paths.join(' ')}
${http}
}
`,
  );
  const child = Bun.spawn(['nginx', '-p', folder, '-e', log, '-c', config], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  let exitCode: number | undefined;
  void child.exited.then((code) => {
    exitCode = code;
  });
  await untilOpen(port, () => exitCode !== undefined).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}: ${await new Response(child.stderr).text()}`);
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      // Without a master nobody waits for streams that are open.
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}

/** Waits until something listens on a port of this machine. */
export async function untilOpen(port: number, hasEnded: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    if (hasEnded()) throw new Error('it ended at once');
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).catch(
      () => undefined,
    );
    if (socket !== undefined) {
      socket.end();
      return;
    }
    await Bun.sleep(10);
  }
  throw new Error(`nothing listens on ${port}`);
}
