import type { DenyFailure, Revocation } from './revocation.ts';

const MAX_VALUE_LENGTH = 512;
/** Further ahead is no clock that differs, but a number in another unit. */
const MAX_AHEAD_SECONDS = 86_400;

/** What is wrong with a revocation that no token could match as it was meant; undefined: nothing. */
export function checkRevocation(
  { kind, issuer, value, before }: Revocation,
  nowSeconds: number,
): DenyFailure | undefined {
  if (issuer === '') return refused('an issuer is missing');
  if (kind === 'issuer' && value !== '') return refused('a whole issuer takes no value');
  if (kind !== 'issuer' && value === '') return refused(`the ${kind} is empty`);
  if (value.length > MAX_VALUE_LENGTH) {
    return refused(`the ${kind} is longer than ${MAX_VALUE_LENGTH} characters`);
  }
  if (before === undefined) return undefined;
  if (!Number.isFinite(before) || before < 0) return refused('the time is no number of seconds since 1970');
  if (before > nowSeconds + MAX_AHEAD_SECONDS) return refused('the time lies more than a day ahead');
  return undefined;
}

function refused(message: string): DenyFailure {
  return { reason: 'value_refused', message };
}
