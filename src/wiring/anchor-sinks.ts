import { type AnchorSink, type Anchors, createAnchors } from '#audit/anchors.ts';
import { createOtlpSink } from '#audit/otlp-sink.ts';
import { createSyslogSink } from '#audit/syslog-sink.ts';
import { createWebhookSink } from '#audit/webhook-sink.ts';
import type { AnchorsConfig } from '#config/config.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createMessageSocket } from '#outbound/message-socket.ts';
import type { Outbound } from '#outbound/outbound.ts';

/** The places that checkpoints are brought to, as configured; undefined where there are none. */
export function createConfiguredAnchors(
  { webhook, syslog, otlp }: AnchorsConfig,
  deps: {
    readonly outbound: Outbound;
    readonly clock: Clock;
    readonly log: Log;
    readonly version: string;
  },
): Anchors | undefined {
  const { outbound, version } = deps;
  const sinks: AnchorSink[] = [];
  if (webhook !== undefined) sinks.push(createWebhookSink({ ...webhook, outbound }));
  if (syslog !== undefined) sinks.push(createSyslogSink(createMessageSocket(syslog)));
  if (otlp !== undefined) sinks.push(createOtlpSink({ ...otlp, version, outbound }));
  return sinks.length === 0 ? undefined : createAnchors(sinks, { ...deps, schedule: systemSchedule });
}
