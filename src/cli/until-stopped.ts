/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. SIGHUP calls `onHangup`. */
export function untilStopped(onHangup: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(130);
      isStopping = true;
      resolve(signal);
    });
  }
  process.on('SIGHUP', onHangup);
  return promise;
}
