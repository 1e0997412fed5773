/** Revisions by era, newest first. `modern`: every request describes itself; `legacy`: initialize and sessions. */
export const modernRevisions = ['2026-07-28'] as const;
export const legacyRevisions = ['2025-11-25', '2025-06-18', '2025-03-26'] as const;
export const allRevisions: readonly string[] = [...modernRevisions, ...legacyRevisions];

export type Era = 'modern' | 'legacy';
export type LegacyRevision = (typeof legacyRevisions)[number];

export function isModernRevision(value: string): boolean {
  return modernRevisions.some((revision) => revision === value);
}

export function isLegacyRevision(value: string): value is LegacyRevision {
  return legacyRevisions.some((revision) => revision === value);
}

/** Reserved `_meta` keys. Source: MCP 2026-07-28 basic/index "_meta". */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
} as const;

export const mcpHeaders = {
  protocolVersion: 'mcp-protocol-version',
  method: 'mcp-method',
  name: 'mcp-name',
  session: 'mcp-session-id',
  paramPrefix: 'mcp-param-',
} as const;

/** RFC 5424 severities, least severe first. */
export const logLevels = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;
export type LogLevel = (typeof logLevels)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.some((level) => level === value);
}

/** Whether a message of `level` passes a client's threshold; an unknown level counts as `info`. */
export function passesLevel(level: string, threshold: LogLevel): boolean {
  const known: readonly string[] = logLevels;
  const rank = known.indexOf(level);
  return (rank < 0 ? 1 : rank) >= logLevels.indexOf(threshold);
}
