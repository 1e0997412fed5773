/** Why an account was not linked, in words for people; docs/linking.md explains each. */
export const linkMessages = {
  unknown_server: 'There is no such server, or its accounts are not linked.',
  unreachable: 'The provider cannot be reached right now. Nothing was changed; try again later.',
  address_refused: 'The server names an address that this gateway must not call.',
  metadata_invalid: 'The provider describes itself in a way that cannot be used.',
  metadata_missing: 'The provider does not describe itself where it should.',
  resource_mismatch: 'The server describes itself as another server.',
  issuer_mismatch: 'The provider describes itself as another provider.',
  issuer_changed: 'The server now names another provider than the one this gateway is registered with.',
  without_s256: 'The provider does not say that it protects sign-ins with PKCE (S256).',
  endpoint_refused: 'The provider names a page or endpoint that is not safe to use.',
  no_registration:
    'The provider lets no client introduce itself: the operator has to register this gateway there.',
  registration_refused: 'The provider refused to register this gateway.',
  too_many: 'Too many links were begun. Wait ten minutes, then begin again.',
  flow_unknown: 'This link was already used, is too old, or was never begun here. Begin again.',
  flow_of_another:
    'This link was begun by somebody else, in another browser, or for another server. Begin again.',
  answer_of_another: 'The answer came from another provider than the one that was asked. Nothing was linked.',
  answer_invalid: 'The provider sent you back with an answer that cannot be used. Begin again.',
  denied: 'You, or the provider, declined. Nothing was linked.',
  provider_refused: 'The provider refused.',
  token_invalid: 'The provider gave an answer that holds no usable token.',
  not_linked: 'No account is linked there.',
} as const;
export type LinkFailureReason = keyof typeof linkMessages;

export interface LinkFailure {
  readonly reason: LinkFailureReason;
  /** For people: what happened and what to do; nothing of it comes from the provider. */
  readonly message: string;
  /** The provider's own error code, such as `invalid_target`, where it gave one. */
  readonly code: string | undefined;
  /** For the log alone. */
  readonly detail: string | undefined;
}

export function linkFailure(
  reason: LinkFailureReason,
  more: { readonly code?: string | undefined; readonly detail?: string | undefined } = {},
): LinkFailure {
  const code = more.code !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(more.code) ? more.code : undefined;
  const message = code === undefined ? linkMessages[reason] : `${linkMessages[reason]} (${code})`;
  return { reason, message, code, detail: more.detail };
}
