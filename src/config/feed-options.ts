import { listOf } from './kind.ts';
import { oneOf, text, word } from './kinds.ts';
import { anyUrl } from './network-kinds.ts';
import { option, optional } from './option.ts';
import { secret } from './special-kinds.ts';

/** The rows of an issuer that are about what it tells of its revocations. */
export const feedOptions = {
  feedKind: optional(
    'auth.issuers.<n>.revocation_feed.kind',
    oneOf(['stream', 'push', 'poll']),
    'How the issuer tells of its revocations: an event stream that the gateway reads; security events that the issuer posts to `/ssf` (RFC 8935); the same, collected by the gateway (RFC 8936).',
  ),
  feedUrl: optional(
    'auth.issuers.<n>.revocation_feed.url',
    anyUrl,
    'Where they are read or collected: of `stream` and `poll`.',
  ),
  feedToken: optional(
    'auth.issuers.<n>.revocation_feed.token',
    secret,
    'The bearer token that goes with it: the gateway’s for `stream` and `poll`, the issuer’s for `push`.',
  ),
  feedClientId: optional(
    'auth.issuers.<n>.revocation_feed.client_id',
    text,
    'In place of a token: the gateway’s client id there (HTTP Basic).',
  ),
  feedClientSecret: optional(
    'auth.issuers.<n>.revocation_feed.client_secret',
    secret,
    'The secret that goes with it.',
  ),
  feedIssuer: optional(
    'auth.issuers.<n>.revocation_feed.issuer',
    anyUrl,
    'The `iss` of the events, where it is not the `iss` of the tokens; with `jwks_uri`.',
    { fallbackText: 'the issuer’s `url`' },
  ),
  feedJwksUri: optional(
    'auth.issuers.<n>.revocation_feed.jwks_uri',
    anyUrl,
    'Where the keys of the events are.',
    { fallbackText: 'the issuer’s keys' },
  ),
  feedAudience: optional(
    'auth.issuers.<n>.revocation_feed.audience',
    listOf(word, { min: 1 }),
    'Audiences to accept: an event must carry one of them.',
    { fallbackText: '`gateway.url`' },
  ),
  feedVerifyUrl: optional(
    'auth.issuers.<n>.revocation_feed.verify_url',
    anyUrl,
    'With `push`: the verification endpoint of the stream (SSF), asked every 5 s for a sign of life.',
  ),
  feedVerifyToken: optional(
    'auth.issuers.<n>.revocation_feed.verify_token',
    secret,
    'The gateway’s bearer token there.',
  ),
  feedStreamId: optional('auth.issuers.<n>.revocation_feed.stream_id', text, 'The id of the stream there.'),
  backchannelLogout: option(
    'auth.issuers.<n>.backchannel_logout',
    listOf(word),
    [],
    'Client ids for which the issuer may end sessions at `/backchannel-logout` (OpenID Connect Back-Channel Logout). Empty: for none.',
  ),
};
