import type { Secret } from '#kernel/secret.ts';

/** One issuer's ways to tell of its revocations. */
export interface IssuerFeedOptions {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  readonly algorithms: readonly string[];
  /** No token outlives it, and so no event matters for longer. */
  readonly maxTokenAgeSeconds: number;
  readonly feed: FeedOptions | undefined;
  /** Client ids for which it may end sessions by back-channel logout. */
  readonly logoutAudience: readonly string[];
}

export interface FeedOptions {
  readonly kind: 'stream' | 'push' | 'poll';
  /** Undefined with `push` alone. */
  readonly url: string | undefined;
  readonly token: Secret | undefined;
  readonly client: { readonly id: string; readonly secret: Secret | undefined } | undefined;
  /** The `iss` of the events. */
  readonly issuer: string;
  /** Undefined: found by discovery. */
  readonly jwksUri: string | undefined;
  readonly audience: readonly string[];
  readonly verification: VerificationOptions | undefined;
}

export interface VerificationOptions {
  readonly url: string;
  readonly token: Secret | undefined;
  readonly streamId: string | undefined;
}

/** Whether two mean the same. Secrets hide their values from any other comparison. */
export function isSameFeed(before: IssuerFeedOptions, next: IssuerFeedOptions): boolean {
  return Bun.deepEquals(before, next) && Bun.deepEquals(secretsOf(before), secretsOf(next));
}

function secretsOf({ feed }: IssuerFeedOptions): readonly (string | undefined)[] {
  return [feed?.token, feed?.client?.secret, feed?.verification?.token].map((secret) => secret?.reveal());
}
