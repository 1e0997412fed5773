/** Every header name of the backend contract, beside `Authorization` and the W3C trace headers. */
export const contractHeaders = {
  userId: 'X-Cortex-User-Id',
  userEmail: 'X-Cortex-User-Email',
  userRole: 'X-Cortex-User-Role',
  userPool: 'X-Cortex-User-Pool',
  scopes: 'X-Cortex-Scopes',
  kind: 'X-Cortex-Kind',
  result: 'X-Cortex-Result',
  deadlineMs: 'X-Cortex-Deadline-Ms',
  clientCapabilities: 'X-Cortex-Client-Capabilities',
  idempotencyKey: 'Idempotency-Key',
} as const;
