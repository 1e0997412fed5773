import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { AnchorSink } from './anchors.ts';
import { type AuditRecord, parseAuditLine } from './line.ts';

const maxAnswerBytes = 64 * 1024;
/** SeverityNumber INFO of the OpenTelemetry log data model. */
const severityInfo = 9;

/** Sends anchors as log records over OTLP/HTTP with JSON (`/v1/logs`); the whole checkpoint is the record's body. */
export function createOtlpSink(options: {
  readonly url: string;
  readonly headers: ReadonlyMap<string, Secret>;
  readonly version: string;
  readonly outbound: Outbound;
}): AnchorSink {
  const { url, outbound, version } = options;
  const closing = new AbortController();
  return {
    name: 'otlp',
    async send(lines) {
      const secrets = [...options.headers].map(([name, value]) => [name, value.reveal()] as const);
      const answer = await outbound.request({
        method: 'POST',
        url,
        headers: { ...Object.fromEntries(secrets), 'content-type': 'application/json' },
        body: JSON.stringify(logsOf(lines, version)),
        timeoutMs: limits.anchorTimeoutMs,
        maxBytes: maxAnswerBytes,
        signal: closing.signal,
        pool: undefined,
        onEvent: undefined,
      });
      if (!answer.ok) return err(answer.error.reason);
      const { status, body } = answer.value;
      return status === 200 ? accepted(body) : err(`status ${status}`);
    },
    close: () => closing.abort(),
  };
}

/** A 200 may still say that records were rejected (OTLP, partial success). */
function accepted(body: string): Result<void, string> {
  const parsed = parseJson(body);
  const partial = parsed.ok && isJsonObject(parsed.value) ? parsed.value.partialSuccess : undefined;
  const rejected = isJsonObject(partial) ? Number(partial.rejectedLogRecords ?? 0) : 0;
  return rejected === 0 ? ok(undefined) : err('records rejected');
}

function logsOf(lines: readonly string[], version: string): JsonObject {
  const records = lines.flatMap((line) => {
    const record = parseAuditLine(Buffer.from(line));
    return record.ok ? [logRecordOf(line, record.value)] : [];
  });
  const attributes = [textAttribute('service.name', 'cortex-gateway')];
  const scope = { name: 'cortex.audit', version };
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope, logRecords: records }] }] };
}

function logRecordOf(line: string, { chain, seq, time }: AuditRecord): JsonObject {
  // Nanoseconds do not fit a number; protobuf's JSON writes 64-bit integers as text.
  const nanoseconds = `${Date.parse(time)}000000`;
  return {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber: severityInfo,
    severityText: 'INFO',
    eventName: 'cortex.audit.anchor',
    body: { stringValue: line },
    attributes: [
      textAttribute('cortex.audit.chain', chain),
      { key: 'cortex.audit.seq', value: { intValue: String(seq) } },
    ],
  };
}

function textAttribute(key: string, text: string): JsonObject {
  return { key, value: { stringValue: text } };
}
