import { type ErrorBody, parseErrorBody } from '#contract/parse-error-body.ts';
import type { OutboundResponse } from '#outbound/outbound.ts';
import type { BackendFailure } from './backend.ts';
import { failure, failureKinds } from './failures.ts';

const maxErrorBodyBytes = 64 * 1024;
const maxRetryAfterSeconds = 24 * 3_600;

/** What a status other than 2xx means (contract, errors). `now` is milliseconds since the epoch. */
export function statusFailure(response: OutboundResponse, now: number): BackendFailure {
  const { status, headers } = response;
  const said = response.bodyBytes > maxErrorBodyBytes ? undefined : parseErrorBody(response.body);
  const retryAfterSeconds = parseRetryAfter(headers.get('retry-after'), now);
  if (status === 401) return failure('token_refused', { status });
  if (status === 403) return forbidden(said);
  if (status === 429) {
    return failure('rate_limited', {
      status,
      message: slowDownMessage(said, retryAfterSeconds),
      retryAfterSeconds,
    });
  }
  if (status >= 400 && status < 500) {
    return failure('invalid', { status, message: said?.message, body: said?.body });
  }
  if (status === 500 && said?.message !== undefined) {
    return failure('business_error', { status, message: said.message, body: said.body });
  }
  if (status >= 300 && status < 400) {
    return failure('failed', {
      status,
      message: 'The backend answered with a redirect, which is not followed.',
    });
  }
  const words = said?.message === undefined ? '.' : `: ${said.message}`;
  return failure('failed', {
    status,
    message: `The backend failed (status ${status})${words}`,
    retryAfterSeconds,
  });
}

function forbidden(said: ErrorBody | undefined): BackendFailure {
  const details = { status: 403, message: said?.message, body: said?.body };
  if (said?.requiredScopes === undefined) return failure('denied', details);
  return failure('scope_missing', { ...details, requiredScopes: said.requiredScopes });
}

function slowDownMessage(said: ErrorBody | undefined, seconds: number | undefined): string {
  const words = said?.message ?? failureKinds.rate_limited.message;
  return seconds === undefined ? words : `${words.replace(/\.?$/, '.')} Try again in ${seconds} s.`;
}

/** Seconds from a `Retry-After` of either form (RFC 9110 section 10.2.3). */
function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1_000);
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(seconds, 0), maxRetryAfterSeconds);
}
