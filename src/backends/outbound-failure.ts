import type { OutboundFailure } from '#outbound/outbound.ts';
import type { BackendFailure } from './backend.ts';
import { failure } from './failures.ts';

/** What the agent may know of an exchange that gave no answer: never an address or a code of the system. */
export function outboundFailure(cause: OutboundFailure): BackendFailure {
  switch (cause.reason) {
    case 'timeout':
      return failure('timeout', { message: timeoutMessage(cause.phase) });
    case 'unreachable':
      return failure('unreachable');
    case 'too_large':
      return failure('too_large');
    case 'cancelled':
      return failure('cancelled');
    case 'bad_encoding':
      return failure('not_json');
    case 'invalid_request':
      return failure('invalid', { message: 'The request to the backend could not be made.' });
  }
}

function timeoutMessage(phase: OutboundFailure['phase']): string | undefined {
  if (phase === 'connect') return 'The backend did not accept a connection in time.';
  if (phase === 'body') return 'The backend began to answer but did not finish in time.';
  return undefined;
}
