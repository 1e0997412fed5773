import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface CortexOptions {
  readonly args: readonly string[];
  /** The whole environment besides `PATH` and `HOME`: nothing of the test's own leaks in. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface CortexProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything written so far to both outputs. */
  output(): string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number>;
  /** SIGTERM, then SIGKILL after ten seconds; resolves with the exit code. */
  stop(): Promise<number>;
}

/** The command under test: the compiled file that `CORTEX_BIN` names, else the sources under Bun. */
export function cortexCommand(): readonly string[] {
  const compiled = process.env.CORTEX_BIN;
  return compiled === undefined || compiled === ''
    ? [process.execPath, join(root, 'bin', 'cortex.ts')]
    : [compiled];
}

/** Starts `cortex` as a process of its own. */
export function startCortex(options: CortexOptions): CortexProcess {
  const child = Bun.spawn([...cortexCommand(), ...options.args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: options.cwd, ...options.env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let text = '';
  const drain = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  void drain(child.stdout);
  void drain(child.stderr);

  const stop = async (): Promise<number> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const code = await child.exited;
    clearTimeout(timer);
    return code;
  };
  return {
    pid: child.pid,
    output: () => text,
    exited: child.exited,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** Starts the gateway and waits until its `/healthz` answers, at most `timeoutMs`. */
export async function startGateway(
  options: CortexOptions & { readonly port: number; readonly timeoutMs?: number },
): Promise<CortexProcess> {
  const gateway = startCortex({ ...options, args: ['serve', ...options.args] });
  const deadline = Date.now() + (options.timeoutMs ?? 45_000);
  let exitCode: number | undefined;
  void gateway.exited.then((code) => {
    exitCode = code;
  });
  while (Date.now() < deadline) {
    if (exitCode !== undefined) throw new Error(`the gateway exited with ${exitCode}:\n${gateway.output()}`);
    const answer = await fetch(`http://127.0.0.1:${options.port}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return gateway;
    await Bun.sleep(25);
  }
  await gateway.stop();
  throw new Error(`the gateway did not listen on ${options.port} in time:\n${gateway.output()}`);
}
