import type { BackendFailure, BackendFailureReason, IdentityRefusal } from './backend.ts';

interface FailureKind {
  /** What the agent reads where the application gave no words of its own. */
  readonly message: string;
  /** Whether it speaks against the backend as a whole, so that the breaker counts it. */
  readonly counts: boolean;
}

/** Every way a backend gives no result; `docs/backend-errors.md` is compared with it. */
export const failureKinds: Readonly<Record<BackendFailureReason, FailureKind>> = {
  token_refused: { message: 'The backend did not accept the token.', counts: false },
  scope_missing: { message: 'The backend asks for a scope that the token does not hold.', counts: false },
  denied: { message: 'The application does not allow this.', counts: false },
  invalid: { message: 'The application did not accept the request.', counts: false },
  rate_limited: { message: 'The application asks to slow down.', counts: false },
  business_error: { message: 'The application reported an error.', counts: false },
  failed: { message: 'The backend failed.', counts: true },
  timeout: { message: 'The backend did not answer in time.', counts: true },
  unreachable: { message: 'The backend could not be reached, or the connection broke.', counts: true },
  not_json: { message: 'The answer of the backend could not be read.', counts: true },
  too_large: { message: 'The answer of the backend is too large; ask for less.', counts: true },
  breaker_open: { message: 'The backend has failed repeatedly and gets a pause.', counts: false },
  busy: { message: 'Too many calls to this backend are under way; try again shortly.', counts: false },
  cancelled: { message: 'The call was cancelled.', counts: false },
  identity_refused: {
    message: 'The identity of the caller cannot be passed to this backend.',
    counts: false,
  },
  identity_unavailable: {
    message: 'Who gives out the token for this backend cannot be reached right now; try again shortly.',
    counts: false,
  },
  link_required: {
    message: 'Your own account at this server is not linked, or has to be linked again.',
    counts: false,
  },
  state_lost: {
    message: 'The question that this answers is not waiting any more; start the call again.',
    counts: false,
  },
  signature_refused: { message: 'The list of the backend is not signed as it must be.', counts: false },
  unsupported: { message: 'The backend does not offer this.', counts: false },
};

/** A failure with the words of the table, unless it brings its own. */
export function failure(
  reason: BackendFailureReason,
  details: Partial<Omit<BackendFailure, 'reason'>> = {},
): BackendFailure {
  return {
    reason,
    message: details.message ?? failureKinds[reason].message,
    status: details.status,
    requiredScopes: details.requiredScopes,
    retryAfterSeconds: details.retryAfterSeconds,
    body: details.body,
  };
}

/** What becomes of a call whose identity was refused; the words are the refusal's own. */
export function identityFailure({ reason, message }: IdentityRefusal): BackendFailure {
  const isKnown = reason === 'link_required' || reason === 'identity_unavailable';
  return failure(isKnown ? reason : 'identity_refused', { message });
}
