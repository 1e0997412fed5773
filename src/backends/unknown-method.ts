import type { BackendFailure } from './backend.ts';

const unknown =
  /\b(?:unknown|unsupported|unrecogni[sz]ed|invalid|no such|missing)\s+(?:\w+\s+)?(?:method|tool|operation|action|command)\b|\b(?:method|tool|operation|action|command)\b.*\bnot\s+(?:found|supported|implemented|known|allowed|available)\b/i;

/**
 * Whether a backend says that it does not have this method at all: 405, 501, or an error text that speaks of an unknown
 * method or names it. A plain error of the application is not that.
 */
export function isUnknownMethod(failure: BackendFailure, method: string): boolean {
  if (failure.status === 405 || failure.status === 501) return true;
  if (failure.reason !== 'invalid' && failure.reason !== 'business_error') return false;
  if (failure.body === undefined) return false;
  // A name like `complete` is an ordinary word, one with an underscore is not.
  const isNamed = method.includes('_') && failure.message.includes(method);
  return isNamed || unknown.test(failure.message);
}
