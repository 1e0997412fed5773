import { limits } from '#kernel/limits.ts';

const forwarded = /^(?:forwarded$|x-forwarded-)/;

/**
 * Whether a request's headers may pass: no value longer than the operator allows, and in development nothing that a
 * proxy added. Undefined where nothing has to be looked at: the platform itself refuses heads over 16 KB with 431.
 */
export function createHeaderGate(
  maxValueBytes: number,
  refusesForwarded: boolean,
): ((headers: Headers) => boolean) | undefined {
  if (maxValueBytes >= limits.maxHeaderValueBytes && !refusesForwarded) return undefined;
  return (headers) => {
    for (const [name, value] of headers) {
      if (value.length > maxValueBytes) return false;
      if (refusesForwarded && forwarded.test(name)) return false;
    }
    return true;
  };
}
