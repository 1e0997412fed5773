import { anyUrl, syslogAddress } from './network-kinds.ts';
import { optional } from './option.ts';
import { secret } from './special-kinds.ts';

/** The rows of `audit.anchors`: where copies of checkpoints go. */
export const anchorOptions = {
  anchorWebhookUrl: optional(
    'audit.anchors.webhook.url',
    anyUrl,
    'Gets each checkpoint posted as a JSON line (`application/x-ndjson`).',
  ),
  anchorWebhookToken: optional(
    'audit.anchors.webhook.token',
    secret,
    'The bearer token that the webhook is called with.',
  ),
  anchorSyslog: optional(
    'audit.anchors.syslog',
    syslogAddress,
    'Gets each checkpoint as a syslog message (RFC 5424): `udp://host:514`, `tcp://host:601`, `tls://host:6514`, or `unix:/path` of a stream socket.',
  ),
  anchorOtlpUrl: optional(
    'audit.anchors.otlp.url',
    anyUrl,
    'Gets each checkpoint as a log record over OTLP/HTTP (JSON): `https://collector:4318/v1/logs`.',
  ),
  anchorOtlpHeader: optional(
    'audit.anchors.otlp.headers.<name>',
    secret,
    'A header of those requests, such as `authorization`.',
  ),
};
