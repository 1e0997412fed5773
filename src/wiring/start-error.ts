/** Something of the operator's stands in the way of a start: a key, a folder, a file. */
export class StartError extends Error {}

/** What `open` gives; what it throws becomes a {@link StartError} that says `what`. */
export function orStartError<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw startError(what, error);
  }
}

export function startError(what: string, cause: unknown): StartError {
  return new StartError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
}
