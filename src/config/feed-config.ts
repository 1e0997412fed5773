import type { Secret } from '#kernel/secret.ts';

/** How one issuer tells of its revocations. */
export interface FeedConfig {
  readonly kind: 'stream' | 'push' | 'poll';
  /** Of `stream` and `poll`. */
  readonly url: string | undefined;
  /** Shown by the gateway; with `push` by the issuer. */
  readonly token: Secret | undefined;
  /** In place of the token. */
  readonly client: { readonly id: string; readonly secret: Secret | undefined } | undefined;
  /** The `iss` of the events. Undefined: the issuer's own. */
  readonly issuer: string | undefined;
  /** Undefined: the issuer's keys. */
  readonly jwksUri: string | undefined;
  /** Any of these is accepted. Undefined: `gateway.url`. */
  readonly audience: readonly string[] | undefined;
  /** Where a sign of life is asked for; with `push`. */
  readonly verification: VerificationConfig | undefined;
}

export interface VerificationConfig {
  readonly url: string;
  readonly token: Secret | undefined;
  readonly streamId: string | undefined;
}
