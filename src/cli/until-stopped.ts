/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. SIGHUP calls `onHangup`; without one it does what it does to any program. */
export function untilStopped(onHangup?: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(130);
      isStopping = true;
      resolve(signal);
    });
  }
  if (onHangup !== undefined) process.on('SIGHUP', onHangup);
  return promise;
}
