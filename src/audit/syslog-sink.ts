import { hostname } from 'node:os';
import { limits } from '#kernel/limits.ts';
import type { MessageSocket } from '#outbound/message-socket.ts';
import type { AnchorSink } from './anchors.ts';
import { parseAuditLine } from './line.ts';

/** Facility 13 (log audit), severity 5 (notice): RFC 5424 section 6.2.1. */
const priority = 13 * 8 + 5;

/**
 * Sends each anchor as a syslog message (RFC 5424). Syslog answers nothing: over UDP a message may be lost unseen, over
 * a stream one that was handed to the system may be. What it lost shows as an anchor that is missing.
 */
export function createSyslogSink(socket: MessageSocket): AnchorSink {
  const host =
    hostname()
      .replaceAll(/[^\x21-\x7e]/g, '')
      .slice(0, 255) || '-';
  return {
    name: 'syslog',
    send: (lines) =>
      socket.send(
        lines.map((line) => Buffer.from(syslogMessage(line, host))),
        limits.anchorTimeoutMs,
      ),
    close: () => socket.close(),
  };
}

function syslogMessage(line: string, host: string): string {
  const record = parseAuditLine(Buffer.from(line));
  const time = record.ok ? record.value.time : '-';
  return `<${priority}>1 ${time} ${host} cortex-gateway ${process.pid} audit-anchor - ${line}`;
}
