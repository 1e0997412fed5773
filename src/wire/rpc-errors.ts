/** JSON-RPC 2.0 and MCP error codes; no other file writes one down. Source: MCP 2026-07-28 basic/index "Error Codes". */
export const rpcErrors = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Implementation-defined: sessions, limits, refusals of the transport. */
  serverError: -32000,
  /** 2025 revisions only; 2026-07-28 says invalidParams with `data.uri`. */
  resourceNotFound: -32002,
  /** 2025-11-25 only: the user has to visit the URLs in `data.elicitations` first. */
  urlElicitationRequired: -32042,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;
