import { join } from 'node:path';
import type { Secret } from '#kernel/secret.ts';
import type { AnchorsConfig, AuditConfig } from './config.ts';
import { options } from './options.ts';
import type { Reader } from './reader.ts';

/** Reads `audit`. */
export function buildAudit(reader: Reader, stateDir: string): AuditConfig {
  return {
    dir: reader.readOr(options.auditDir, [], join(stateDir, 'audit')),
    retentionDays: Math.ceil(reader.read(options.auditRetention) / 86_400_000),
    durability: reader.read(options.auditDurability),
    onFailure: reader.read(options.auditOnFailure),
    stdout: reader.read(options.auditStdout),
    rotateBytes: reader.read(options.auditRotateSize),
    anchors: buildAnchors(reader),
  };
}

function buildAnchors(reader: Reader): AnchorsConfig {
  const webhookUrl = reader.read(options.anchorWebhookUrl);
  const token = reader.read(options.anchorWebhookToken);
  const syslog = reader.read(options.anchorSyslog);
  const otlpUrl = reader.read(options.anchorOtlpUrl);
  const headers = new Map<string, Secret>();
  for (const name of reader.boundedKeys(['audit', 'anchors', 'otlp', 'headers'], maxHeaders)) {
    const value = reader.read(options.anchorOtlpHeader, [name]);
    if (!/^[A-Za-z0-9-]+$/.test(name)) {
      reader.fail(['audit', 'anchors', 'otlp', 'headers', name], 'is not the name of a header');
    }
    if (value !== undefined) headers.set(name.toLowerCase(), value);
  }
  return {
    webhook: webhookUrl === undefined ? undefined : { url: webhookUrl, token },
    syslog,
    otlp: otlpUrl === undefined ? undefined : { url: otlpUrl, headers },
  };
}

const maxHeaders = 20;
