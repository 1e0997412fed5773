import type { FeedConfig, VerificationConfig } from './feed-config.ts';
import { feedOptions } from './feed-options.ts';
import type { Reader } from './reader.ts';

/** The feed of the issuer at `at`; undefined where it has none. */
export function buildFeed(reader: Reader, at: readonly string[]): FeedConfig | undefined {
  // Most issuers have none, and a dozen unset settings would hide those that are set.
  if (reader.keysBelow(['auth', 'issuers', ...at, 'revocation_feed']).length === 0) return undefined;
  const kind = reader.read(feedOptions.feedKind, at);
  const clientId = reader.read(feedOptions.feedClientId, at);
  const clientSecret = reader.read(feedOptions.feedClientSecret, at);
  const feed = {
    url: reader.read(feedOptions.feedUrl, at),
    token: reader.read(feedOptions.feedToken, at),
    client: clientId === undefined ? undefined : { id: clientId, secret: clientSecret },
    issuer: reader.read(feedOptions.feedIssuer, at),
    jwksUri: reader.read(feedOptions.feedJwksUri, at),
    audience: reader.read(feedOptions.feedAudience, at),
    verification: buildVerification(reader, at),
  };
  return kind === undefined ? undefined : { kind, ...feed };
}

function buildVerification(reader: Reader, at: readonly string[]): VerificationConfig | undefined {
  const url = reader.read(feedOptions.feedVerifyUrl, at);
  const token = reader.read(feedOptions.feedVerifyToken, at);
  const streamId = reader.read(feedOptions.feedStreamId, at);
  return url === undefined ? undefined : { url, token, streamId };
}
