import { join } from 'node:path';

export interface ForeignBackendOptions {
  readonly technicalToken: string;
  readonly issuer: string;
  readonly audience: string;
}

export interface ForeignBackend extends AsyncDisposable {
  readonly url: string;
}

/** Starts the Python backend and waits for its port. */
export async function startForeignBackend(options: ForeignBackendOptions): Promise<ForeignBackend> {
  const child = Bun.spawn(['python3', '-B', join(import.meta.dirname, 'backend.py')], {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      CORTEX_TECHNICAL_TOKEN: options.technicalToken,
      OAUTH_ISSUER: options.issuer,
      OAUTH_AUDIENCE: options.audience,
      PYTHONUTF8: '1',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
  };
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const port = /listening on (\d+)/.exec(text)?.[1];
    if (port !== undefined) return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error('the Python backend did not start');
}
