/** A part that is made when it is first needed; what was made is closed, what was not is never made. */
export interface Lazy<T> {
  (): Promise<T>;
  /** Undefined: nobody needed it yet. */
  ifMade(): Promise<T> | undefined;
}

/** One making for all who ask; a failed one is tried again by the next. */
export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return Object.assign(get, { ifMade: () => made });
}
